"""Write the tables of docs/declaring-tables.md and docs/metadata.md from the code's own.

Run it from the checkout: `python docs/reference.py`. A test holds that the pages are up to date.
"""

import json
import re
from pathlib import Path
from typing import Any

from dagster.components.utils.defs_state import DefsStateConfigArgs
from pydantic import BaseModel

from ddb_assets.components.automation_models import AutomationModel, FreshnessModel
from ddb_assets.components.checks_model import ChecksModel, DriftModel
from ddb_assets.components.dynamodb_discovery import DynamoDBDiscoveryComponent
from ddb_assets.components.dynamodb_tables import DynamoDBTablesComponent
from ddb_assets.components.models import (
    AwsModel,
    FilterModel,
    GroupModel,
    SettingsModel,
    TableModel,
)
from ddb_assets.components.sensor_models import (
    ExportWatchModel,
    FailedRefreshesModel,
    SensorsModel,
    TableChangesModel,
)
from ddb_assets.orchestration import metadata_keys
from ddb_assets.orchestration.run_config import RefreshConfig

PAGE = Path(__file__).with_name("declaring-tables.md")
KEYS_PAGE = Path(__file__).with_name("metadata.md")
MODELS: dict[str, type[BaseModel]] = {
    "declaration": DynamoDBTablesComponent,
    "discovery": DynamoDBDiscoveryComponent,
    "table": TableModel,
    "settings": SettingsModel,
    "group": GroupModel,
    "automation": AutomationModel,
    "sensors": SensorsModel,
    "table_changes": TableChangesModel,
    "export_watch": ExportWatchModel,
    "failed_refreshes": FailedRefreshesModel,
    "freshness": FreshnessModel,
    "checks": ChecksModel,
    "drift": DriftModel,
    "aws": AwsModel,
    "filter": FilterModel,
    "launchpad": RefreshConfig,
}


#: What stands in a table of the page already.
_INHERITED: dict[type[BaseModel], frozenset[str]] = {
    TableModel: frozenset(SettingsModel.model_fields),
    DynamoDBDiscoveryComponent: frozenset(DynamoDBTablesComponent.model_fields) - {"tables"},
}


def field_table(model: type[BaseModel]) -> str:
    """One line per field: name, default, what it is for, an example."""
    inherited = _INHERITED.get(model, frozenset())
    lines = ["| Field | Default | What it is for | Example |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name in inherited:
            continue
        default = "required" if field.is_required() else _code(_plain(field.default))
        example = _code(field.examples[0]) if field.examples else ""
        about = (field.description or "").replace("|", "\\|")
        lines.append(f"| `{name}` | {default} | {about} | {example} |")
    return "\n".join(lines)


def _plain(value: Any) -> Any:
    """As it is written in YAML."""
    if isinstance(value, BaseModel | DefsStateConfigArgs):
        return {
            "management_type": value.management_type.value,
            "refresh_if_dev": value.refresh_if_dev,
        }
    return value


def _code(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool | int | float):
        return f"`{json.dumps(value)}`"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def rendered(page: str) -> str:
    """The page with every generated table replaced."""

    def table(found: re.Match[str]) -> str:
        return f"{found[1]}\n{field_table(MODELS[found[2]])}\n{found[3]}"

    return re.sub(r"(<!-- fields: (\w+) -->)\n.*?(<!-- end -->)", table, page, flags=re.DOTALL)


def rendered_keys(page: str) -> str:
    """docs/metadata.md with every generated table replaced."""

    def table(found: re.Match[str]) -> str:
        return f"{found[1]}\n{metadata_keys.table(found[2])}\n{found[3]}"

    return re.sub(r"(<!-- keys: (\w+) -->)\n.*?(<!-- end -->)", table, page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text()))
    KEYS_PAGE.write_text(rendered_keys(KEYS_PAGE.read_text()))

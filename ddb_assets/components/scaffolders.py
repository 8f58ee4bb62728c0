"""What `dg scaffold defs` writes: a declaration that loads as it is, with the rest in comments."""

import json
import re
from collections.abc import Sequence
from typing import Any

import dagster as dg
import yaml
from pydantic import BaseModel, Field

from ddb_assets.errors import DeclarationError
from ddb_assets.orchestration.declaration import TableSettings
from ddb_assets.orchestration.specs import complete

# Dagster's reader takes 1e5 for a number, PyYAML does not: only a leading letter is safe.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")

_TABLES_YAML = """\
# DynamoDB tables, kept queryable in Athena. Check with `dg check yaml` and `dg check defs`.
type: {type}

attributes:
  # Glue database; created with its first table if it is missing.
  database: {database}
  # Receives the exports, below <table name>/.
  bucket: {bucket}
  # A name is enough: columns are inferred over all items of each export.
  tables:
{tables}
    # - name: legacy.Users
    #   athena_name: users
    #   columns: {{userId: S, createAt: N, address: {{M: {{zip: N}}}}}}
    #   group: nightly

  # Refreshed together, by a schedule. A group needs at least one table that names it.
  # groups:
  #   nightly: {{cron: "0 3 * * *", timezone: Europe/Berlin, running: true}}

  # The AWS SDK's own chain (AWS_PROFILE, role of the machine, ...) where nothing is said.
  # aws: {{region: eu-central-1, role_arn: "arn:aws:iam::123456789012:role/exporter"}}

  # For all tables that say nothing themselves.
  # defaults: {{publish_with: athena, owners: ["team:data"], tags: {{domain: sales}}}}

  # Attributes of the exported assets; `table` and `props` are known.
  # translation: {{group_name: raw}}
"""

_DISCOVERY_YAML = """\
# DynamoDB tables found in the account, kept queryable in Athena. Nothing is asked of AWS when this
# is loaded: `dg utils refresh-defs-state` looks for the tables and keeps what it found.
type: {type}

attributes:
  # Glue database; created with its first table if it is missing.
  database: {database}
  # Receives the exports, below <table name>/.
  bucket: {bucket}
  # Globs of table names; upper and lower case differ, as in DynamoDB.
  include:
{tables}
  # exclude: ["*-tmp", "terraform-*"]
  # Tags a table must have, with globs of their values.
  # with_tags: {{stage: prod, export: "*"}}
  # Discovery in another account than this one is refused.
  # account: "123456789012"

  # The AWS SDK's own chain (AWS_PROFILE, role of the machine, ...) where nothing is said.
  # aws: {{region: eu-central-1, role_arn: "arn:aws:iam::123456789012:role/exporter"}}

  # Single tables that differ.
  # tables:
  #   - {{name: legacy.Users, athena_name: users}}
"""

_COMPONENT_PY = """\
import dagster as dg

from {module} import {name}


@dg.component_instance
def load(context: dg.ComponentLoadContext) -> {name}:
    return {name}(
        database={database!r},
        bucket={bucket!r},
        {field}={tables!r},
    )
"""


class TablesParams(BaseModel):
    """What may be said on the command line; each has a value that loads."""

    database: str = Field(default="raw", description="Glue database.")
    bucket: str = Field(default="my-exports", description="Bucket that receives the exports.")
    tables: list[str] = Field(
        default=[], description="DynamoDB tables; repeat --tables for several."
    )


class DiscoveryParams(BaseModel):
    """Likewise."""

    database: str = Field(default="raw", description="Glue database.")
    bucket: str = Field(default="my-exports", description="Bucket that receives the exports.")
    include: list[str] = Field(
        default=[], description="Globs of table names; repeat --include for several."
    )


class TablesScaffolder(dg.Scaffolder[TablesParams]):
    """`dg scaffold defs ddb_assets.components.DynamoDBTablesComponent PATH`."""

    @classmethod
    def get_scaffold_params(cls) -> type[TablesParams]:
        """Database, bucket, tables."""
        return TablesParams

    def scaffold(self, request: dg.ScaffoldRequest[TablesParams]) -> None:
        """Write `defs.yaml`, or `component.py`.

        Raises:
            DeclarationError: A name is not one AWS allows; nothing is written.
        """
        given = request.params
        tables = given.tables or ["orders"]
        _check(given.database, given.bucket, tables)
        _write(request, _TABLES_YAML, given.database, given.bucket, ("tables", tables))


class DiscoveryScaffolder(dg.Scaffolder[DiscoveryParams]):
    """`dg scaffold defs ddb_assets.components.DynamoDBDiscoveryComponent PATH`."""

    @classmethod
    def get_scaffold_params(cls) -> type[DiscoveryParams]:
        """Database, bucket, globs."""
        return DiscoveryParams

    def scaffold(self, request: dg.ScaffoldRequest[DiscoveryParams]) -> None:
        """Write `defs.yaml`, or `component.py`.

        Raises:
            DeclarationError: A name is not one AWS allows; nothing is written.
        """
        given = request.params
        _check(given.database, given.bucket, ["any-table"])
        include = ("include", given.include or ["*"])
        _write(request, _DISCOVERY_YAML, given.database, given.bucket, include)


def _check(database: str, bucket: str, tables: Sequence[str]) -> None:
    try:
        complete(tables, database=database, groups={}, defaults=TableSettings(bucket=bucket))
    except DeclarationError as error:
        raise DeclarationError(f"nothing is scaffolded: {error}") from error


def _write(
    request: dg.ScaffoldRequest[Any],
    template: str,
    database: str,
    bucket: str,
    tables: tuple[str, Sequence[str]],
) -> None:
    field, names = tables
    if request.scaffold_format == "python":
        module, _, name = request.type_name.rpartition(".")
        text = _COMPONENT_PY.format(
            module=module, name=name, database=database, bucket=bucket, field=field, tables=[*names]
        )
        (request.target_path / "component.py").write_text(text, encoding="utf-8")
        return
    text = template.format(
        type=request.type_name,
        database=_scalar(database),
        bucket=_scalar(bucket),
        tables="\n".join(f"    - {_scalar(name)}" for name in names),
    )
    if request.append:
        with request.target_path.open("a", encoding="utf-8") as file:
            file.write(f"---\n{text}")
    else:
        (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")


def _scalar(value: str) -> str:
    """As YAML reads it back: `on`, `1e5` and `*` need quotes."""
    plain = _PLAIN.fullmatch(value) and yaml.safe_load(value) == value
    return value if plain else json.dumps(value)

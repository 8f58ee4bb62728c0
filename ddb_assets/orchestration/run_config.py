"""What one run can be asked in the launchpad, and the refusal of what makes no sense."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NoReturn

import dagster as dg
from pydantic import Field

from ddb_assets.core.options import RefreshOptions
from ddb_assets.core.spec import TableSpec, VerifyLevel
from ddb_assets.errors import DeclarationError

# SDK model of DescribeExport: ExportArn.
_EXPORT_ARN = re.compile(
    r"arn:[\w-]+:dynamodb:[\w-]+:[0-9]{12}:table/(?P<table>[a-zA-Z0-9_.-]{3,255})/export/[\w-]+"
)
# AWS page S3DataExport.Output: milliseconds of its start, a hyphen, eight digits.
_EXPORT_ID = re.compile(r"\d{14}-\w+")

#: AWS page PointInTimeRecovery_Howitworks: the recovery period is 1 to 35 days.
LONGEST_PITR_WINDOW = timedelta(days=35)

#: So many names are listed in an error.
_LISTED = 20


class Verify(Enum):
    """How closely an export is checked before it is published."""

    manifest = "manifest"
    full = "full"


class RefreshConfig(dg.Config):
    """What this one run does differently; an empty config is a plain refresh."""

    export_time: str | None = Field(
        default=None,
        description="Export the tables as of this second of the point-in-time-recovery window, "
        "e.g. 2026-03-01T06:00:00Z.",
    )
    adopt: str | None = Field(
        default=None,
        description="Publish this export instead of starting one: an export's ARN. With several "
        "tables selected: an ARN for each, separated by spaces.",
    )
    force_new: bool = Field(
        default=False,
        description="Start a new export even if the run that this one retries already started one.",
    )
    wait: bool = Field(
        default=True,
        description="Switched off, the run starts the exports and ends; nothing is published.",
    )
    verify: Verify | None = Field(
        default=None,
        description="manifest: sizes and etags; full: the md5 of every data file as well.",
    )
    allow_older: bool = Field(
        default=False,
        description="Let an older export replace a newer one, for going back in time.",
    )
    accept_changes: bool = Field(
        default=False,
        description="Let columns change so that queries may break: what a refresh refused and "
        "named.",
    )


def options_from(
    config: RefreshConfig, tables: Sequence[TableSpec], *, now: datetime, base: RefreshOptions
) -> RefreshOptions:
    """The options of one refresh; wrong values are refused before anything starts.

    Args:
        config: From the launchpad.
        tables: The selected tables.
        now: The wall time.
        base: The options that were declared.

    Raises:
        DeclarationError: Names the setting, the value and what is allowed.
    """
    _refuse_contradictions(config)
    return replace(
        base,
        export_time=_export_time(config.export_time, now),
        adopt=_adopt(config.adopt, tables),
        wait=config.wait,
        verify=verify_level(config.verify),
        allow_older=config.allow_older,
        accept_changes=config.accept_changes,
    )


def _refuse_contradictions(config: RefreshConfig) -> None:
    if config.adopt is not None:
        for name, given in (
            ("export_time", config.export_time is not None),
            ("force_new", config.force_new),
            ("wait: false", not config.wait),
        ):
            if given:
                raise DeclarationError(
                    f"adopt and {name} exclude each other",
                    remedy="adopt publishes an export that is already there; remove one of the two",
                )
    if not config.wait:
        for name, given in (
            ("verify", config.verify is not None),
            ("allow_older", config.allow_older),
            ("accept_changes", config.accept_changes),
        ):
            if given:
                raise DeclarationError(
                    f"wait: false and {name} exclude each other",
                    remedy=f"the run would publish nothing: give {name} to the run that publishes, "
                    "with adopt",
                )


def _export_time(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        _refuse("export_time", text, "a moment such as 2026-03-01T06:00:00Z")
    if moment.tzinfo is None:
        _refuse("export_time", text, f"a moment with its offset: {text.strip()}Z is UTC")
    if moment.microsecond:
        _refuse("export_time", text, "a whole second")
    if moment > now:
        _refuse("export_time", text, f"a moment in the past; now it is {now:%Y-%m-%dT%H:%M:%SZ}")
    if moment < now - LONGEST_PITR_WINDOW:
        days, oldest = LONGEST_PITR_WINDOW.days, now - LONGEST_PITR_WINDOW
        _refuse(
            "export_time",
            text,
            f"a moment of the last {days} days, which is as far as point-in-time recovery goes "
            f"back: not before {oldest:%Y-%m-%dT%H:%M:%SZ}",
        )
    return moment.astimezone(UTC)


def _adopt(text: str | None, tables: Sequence[TableSpec]) -> str | Mapping[str, str] | None:
    if text is None:
        return None
    arns = re.split(r"[\s,]+", text.strip())
    if len(arns) == len(tables) == 1:
        return export_arn_of(arns[0], tables[0], setting="adopt")
    named = [_parsed(arn, setting="adopt") for arn in arns]
    adopted = {found["table"]: found[0] for found in named}
    selected = {spec.name for spec in tables}
    if len(adopted) != len(arns) or adopted.keys() != selected:
        raise DeclarationError(
            f"adopt names {len(arns)} {'export' if len(arns) == 1 else 'exports'} of "
            f"{_listed(adopted)}; selected are {len(tables)} tables: {_listed(selected)}",
            remedy="name exactly one export of each selected table, and select no other",
        )
    return adopted


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _LISTED} more" if len(ordered) > _LISTED else ""
    return ", ".join(ordered[:_LISTED]) + more


def export_arn_of(arn: str, spec: TableSpec, *, setting: str) -> str:
    """The ARN, if it is that of an export of this table.

    Raises:
        DeclarationError: It is none, or another table's.
    """
    found = _parsed(arn, setting=setting)
    if found["table"] != spec.name:
        purpose = "go back to" if setting == "to" else "adopt"
        raise DeclarationError(
            f"the export to {purpose} is of the table {found['table']}",
            table=spec.name,
            remedy=f"choose {found['table']}, or name an export of {spec.name}",
        )
    return found[0]


def export_reference(text: str, spec: TableSpec) -> str:
    """An export's ARN or its id alone, if it can be that of an export of this table.

    Raises:
        DeclarationError: It is neither, or another table's.
    """
    stripped = text.strip()
    if stripped.startswith("arn:"):
        return export_arn_of(stripped, spec, setting="to")
    if not _EXPORT_ID.fullmatch(stripped):
        _refuse("to", text, "an export's ARN or its id, e.g. 01772345678901-0a1b2c3d")
    return stripped


def _parsed(arn: str, *, setting: str) -> re.Match[str]:
    found = _EXPORT_ARN.fullmatch(arn.strip())
    if found is None:
        _refuse(setting, arn, "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/export/ID")
    return found


def verify_level(verify: Verify | None) -> VerifyLevel | None:
    """The core's word for it."""
    if verify is None:
        return None
    return "full" if verify is Verify.full else "manifest"


def _refuse(name: str, value: str, allowed: str) -> NoReturn:
    raise DeclarationError(f"{name} {value!r} is not allowed", remedy=f"allowed: {allowed}")

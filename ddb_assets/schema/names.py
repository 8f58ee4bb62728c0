"""Athena's names: made from DynamoDB's, checked when declared, refused when they collide."""

import re
from collections import defaultdict
from collections.abc import Mapping

from ddb_assets.errors import DeclarationError

#: Athena, "Name databases, tables, and columns": at most 255 characters.
MAX_NAME_LENGTH = 255

_LEGAL = re.compile(r"[a-z0-9_]+")
_ILLEGAL = re.compile(r"[^a-z0-9_]")


def athena_name(dynamodb_name: str) -> str:
    """The Athena table for a DynamoDB table: lower case, what Athena does not allow is `_`.

    Depends on nothing but the name, so it is stable over time. A leading digit or underscore is
    kept: Athena allows both as long as the name is quoted, and here it always is.

    Raises:
        DeclarationError: The name is empty or longer than Athena allows.
    """
    return check_athena_name(_ILLEGAL.sub("_", dynamodb_name.lower()), declared=dynamodb_name)


def check_athena_name(name: str, *, declared: str | None = None, what: str = "name") -> str:
    """The name itself, if Athena takes it as it is.

    Args:
        name: The database or table name.
        declared: What the user wrote, where the name was made from it.
        what: What the name is of, for the message.

    Raises:
        DeclarationError: It is empty, too long, or not of `a-z`, `0-9` and `_`.
    """
    shown = repr(name if declared is None else declared)
    if not name:
        raise DeclarationError(f"the {what} is empty", remedy="set `athena_name`")
    if len(name) > MAX_NAME_LENGTH:
        raise DeclarationError(
            f"the {what} {shown} has {len(name)} characters, Athena allows {MAX_NAME_LENGTH}",
            remedy="set a shorter `athena_name`",
        )
    if not _LEGAL.fullmatch(name):
        suggestion = _ILLEGAL.sub("_", name.lower())
        raise DeclarationError(
            f"the {what} {shown} is not one Athena allows; allowed are a-z, 0-9 and _",
            remedy=f"use {suggestion!r}",
        )
    return name


def refuse_collisions(names: Mapping[str, str]) -> None:
    """Make sure that no two DynamoDB tables end as one Athena table.

    Args:
        names: DynamoDB table -> Athena table (of one database, or as `database.table`).

    Raises:
        DeclarationError: Two of them do; names them all.
    """
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for dynamodb, athena in names.items():
        owners[athena.lower()].append(dynamodb)
    collisions = {athena: sorted(tables) for athena, tables in owners.items() if len(tables) > 1}
    if not collisions:
        return
    listed = "; ".join(
        f"{' and '.join(map(repr, tables))} are both {athena!r}"
        for athena, tables in sorted(collisions.items())
    )
    raise DeclarationError(
        f"DynamoDB tables share one Athena table: {listed}",
        remedy="set `athena_name` for all but one of them",
        collisions=collisions,
    )

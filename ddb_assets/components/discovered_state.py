"""What discovery found, as the file that Dagster keeps between processes."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from ddb_assets.core.operating.inventory import FoundTable, Inventory, LeftOut
from ddb_assets.errors import DeclarationError

#: Raise it when a reader of older files would misunderstand them.
VERSION = 1


def write_inventory(path: Path, found: Inventory) -> None:
    """Replace the file in one step: a reader sees the old one or the new one."""
    document = {"version": VERSION, **dataclasses.asdict(found)}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)


def read_inventory(path: Path) -> Inventory:
    """What was written.

    Raises:
        DeclarationError: It is no such file, or one of another version.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise _unreadable(path, f"version {document['version']} is not {VERSION}")
        return Inventory(
            tables=tuple(_table(one) for one in document["tables"]),
            left_out=tuple(LeftOut(**one) for one in document["left_out"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, repr(error)) from error


def _table(found: dict[str, Any]) -> FoundTable:
    rest = {name: value for name, value in found.items() if name not in {"keys", "indexes"}}
    keys = tuple((name, type_) for name, type_ in found["keys"])
    return FoundTable(**rest, keys=keys, indexes=tuple(found["indexes"]))


def _unreadable(path: Path, why: str) -> DeclarationError:
    return DeclarationError(
        f"the state of the discovery at {path} cannot be read: {why}",
        remedy="run `dg utils refresh-defs-state`",
    )

"""A published table, surface by surface, compared with the items that were put."""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ddb_assets.core.outcome import Refreshed
from ddb_round_trip import compare, types
from ddb_round_trip.account import DATABASE, Account, named
from ddb_round_trip.compare import Comparison, Lost, RawComparison, Seen, Typed

Item = Mapping[str, Typed]
Keys = tuple[str, ...]
#: Instead of a type: the column has the value's DynamoDB JSON, whatever its type.
JSON = "json"

_SPEC = importlib.util.spec_from_file_location(
    "reading_helpers", Path(__file__).parents[2] / "reading" / "conftest.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
_READING: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_READING)


class Surfaces:
    """One published table beside its items.

    Args:
        aws: Where it is.
        outcome: Of its refresh.
        items: As they were put.
        keys: Its keys; texts.
    """

    def __init__(
        self, aws: Account, outcome: Refreshed, items: Sequence[Item], keys: Keys = ("pk",)
    ) -> None:
        assert outcome.view is not None
        self.aws = aws
        self.outcome = outcome
        self.view = outcome.view
        self.name = outcome.spec.name
        self.json = outcome.spec.mixed_types == "json"
        self.items = {tuple(item[key]["S"] for key in keys): item for item in items}
        assert len(self.items) == len(items)
        self.keys = keys
        self.seen: Seen = compare.seen(items)
        self.fields = aws.field_names(self.name, list(self.seen.keys()))
        self.columns = [(name, types.parse(of), path) for name, of, path in self.view.columns]
        self.lost: set[Lost] = set()
        self.renamed: set[tuple[tuple[str, ...], str]] = set()

    def check_raw(self) -> None:
        """`item` of the raw table, as JSON."""
        rows = self.aws.query(
            f'SELECT json_format(CAST(item AS json)) FROM "{DATABASE}"."{named(self.name)}"'
        )
        found = [json.loads(text or "null") for (text,) in rows]
        pks = [tuple(row[self.fields[key]]["s"] for key in self.keys) for row in found]
        for row, item in self._paired(pks, found):
            RawComparison(self.fields).item(row, item)

    def check_view(self) -> None:
        """Every column of the typed view: as JSON, and in Athena's own text."""
        self._ask(f"{named(self.name)}_typed")

    def check_copy(self, *, json: bool = True) -> None:
        """The typed copy: its Parquet files by themselves, and through Athena as the view."""
        copy = self.outcome.copy
        assert copy is not None
        table = self.aws.parquet(copy.location)
        assert table.column_names == [name for name, _, _ in self.columns]
        columns = [
            [compare.from_arrow(of, value) for value in table[name].to_pylist()]
            for name, of, _ in self.columns
        ]
        self._check_columns([list(row) for row in zip(*columns, strict=True)])
        if json:
            self._ask(copy.name)

    def check_read_export(self) -> None:
        """`read_export`, typed: what boto3's deserializer makes of the items, NULL included."""
        table = self.aws.read(self.outcome)
        found = _READING.items_of(table)
        pks = [tuple(row[key] for key in self.keys) for row in found]
        for row, item in self._paired(pks, found):
            assert row == {name: _plain(typed) for name, typed in item.items()}

    def check_report(self) -> None:
        """Just what the view lost stands in its notes: nothing is missing, nothing made up."""
        sign = ": NULL and absent both read as NULL"
        reported = {note.removesuffix(sign) for note in self.view.notes if note.endswith(sign)}
        assert {one.path for one in self.lost} == reported
        others = {note for note in self.view.notes if not note.endswith(sign)}
        for path, field in self.renamed:
            assert others & self._told(path, field), (path, field, others)
        assert others <= {told for one in self.renamed for told in self._told(*one)}

    def _told(self, path: tuple[str, ...], field: str) -> set[str]:
        return {
            f"{one}: spelled {field} in its column of JSON" for one in compare.report_paths(path)
        }

    def check_all(self, *, json: bool = True) -> None:
        """All of them.

        Args:
            json: Whether view and copy are asked for JSON too; of the deepest documents that takes
                minutes here, and Parquet tells as much.
        """
        self.check_raw()
        if json:
            self.check_view()
        self.check_copy(json=json)
        self.check_read_export()
        self.check_report()

    def _ask(self, table: str) -> None:
        shown = ", ".join(
            f'{types.as_json(of, name)}, CAST("{name}" AS varchar)'
            if of.name in {"varchar", "bigint", "boolean"} or of.name.startswith("decimal")
            else f'{types.as_json(of, name)}, "{name}"'
            for name, of, _ in self.columns
        )
        rows = self.aws.query(f'SELECT {shown} FROM "{DATABASE}"."{table}"')
        found: list[list[Any]] = []
        for row in rows:
            values: list[Any] = []
            for (name, of, _), text, plain in zip(self.columns, row[::2], row[1::2], strict=True):
                value = compare.decoded(of, None if text is None else json.loads(text))
                assert (text is None) == (plain is None), (name, text, plain)
                if plain is not None:
                    assert plain == types.as_athena_shows(of, value), (name, of)
                values.append(value)
            found.append(values)
        self._check_columns(found)

    def _paired(self, pks: Sequence[Keys], rows: Sequence[Any]) -> list[tuple[Any, Item]]:
        assert sorted(pks) == sorted(self.items), "every item once"
        return [(row, self.items[pk]) for pk, row in zip(pks, rows, strict=True)]

    def _check_columns(self, rows: Sequence[Sequence[Any]]) -> None:
        place = {path: at for at, (_, _, path) in enumerate(self.columns)}
        pks = [tuple(row[place[key]] for key in self.keys) for row in rows]
        comparison, raw = Comparison(self.fields), RawComparison(self.fields)
        attributes = self._attributes()
        for row, item in self._paired(pks, rows):
            for (_, of, path), value in zip(self.columns, row, strict=True):
                attribute, code = attributes[path]
                typed = item.get(attribute)
                here = self.seen.inside[attribute]
                if code == JSON:
                    raw.column(value, typed, attribute)
                    continue
                if code is None:
                    comparison.single(value, typed, of, here, attribute)
                else:
                    right = typed is not None and code in typed
                    comparison.single(value, typed if right else None, of, here, attribute)
                if typed is not None and "NULL" in typed:
                    comparison.lost.add(Lost(attribute))
        self.lost |= comparison.lost
        self.renamed |= raw.renamed

    def _attributes(self) -> dict[str, tuple[str, str | None]]:
        """Path of a column -> attribute and type; every value of every attribute has its column."""
        wanted: dict[str, tuple[str, str | None]] = {}
        for attribute, place in self.seen.inside.items():
            several = len(place.types) > 1
            if not several or self.json:
                wanted[attribute] = (attribute, JSON if several else None)
                continue
            for code in place.types:
                wanted[f"{attribute} ({code})"] = (attribute, code)
        assert sorted(wanted) == sorted(path for _, _, path in self.columns)
        return wanted


def _plain(typed: Typed) -> Any:  # noqa: PLR0911 - one per type
    ((code, value),) = typed.items()
    if code == "NULL":
        return None
    if code == "N":
        return Decimal(value)
    if code == "NS":
        return set(map(Decimal, value))
    if code in {"SS", "BS"}:
        return set(value)
    if code == "L":
        return [_plain(one) for one in value]
    if code == "M":
        return {key: _plain(one) for key, one in value.items()}
    return value

"""The raw table: one column `item`, a struct over the export's JSON lines `{"Item":{…}}`.

Every attribute is a struct with one field per type it has, as the export writes it, such as
`item.userid.s`. Numbers and binary stay text, so that no value loses a digit here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ddb_assets.errors import CatalogConflictError, DeclarationError
from ddb_assets.schema.attributes import Attribute, Shape
from ddb_assets.schema.declaration import SCALAR_CODES, format_columns, parse_columns
from ddb_assets.schema.field_names import (
    all_keys,
    hive_names,
    hive_obstacles,
    mapping_parameters,
    openx_names,
)
from ddb_assets.schema.fitting import fit
from ddb_assets.schema.hive_types import BOOLEAN, STRING, Array, HiveType, Map, Struct
from ddb_assets.schema.shapes import item_attributes, item_shape, unite

HIVE_SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
OPENX_SERDE = "org.openx.data.jsonserde.JsonSerDe"

#: Glue API, Column: lengths of Type and Comment, in characters.
MAX_TYPE_LENGTH = 131_072
MAX_COMMENT_LENGTH = 255
#: The table parameter that keeps the attributes as they are spelled in DynamoDB.
ATTRIBUTES_PARAMETER = "ddb_assets.attributes"

_SHOWN = 5
_TEXT_SET = Array(STRING)
_SCALAR_TYPES: dict[str, HiveType] = {
    "S": STRING,
    "N": STRING,
    "B": STRING,
    "BOOL": BOOLEAN,
    "NULL": BOOLEAN,
    "SS": _TEXT_SET,
    "NS": _TEXT_SET,
    "BS": _TEXT_SET,
}
_EMPTY_MAP = Map(STRING, STRING)
_EMPTY_LIST = Array(STRING)


@dataclass(frozen=True)
class TableLayout:
    """How the raw table is declared in Glue.

    Attributes:
        columns: (name, Hive type, comment) of each column.
        serde_library: The class that reads the JSON.
        serde_parameters: Its parameters; OpenX's mapping of field to attribute name.
        notes: What a reader should know: why OpenX, which maps were widened to fit.
        table_parameters: To be kept on the Glue table: the attributes as DynamoDB spells them, from
            which the next refresh goes on.
        attributes: What the column holds.
    """

    columns: tuple[tuple[str, str, str], ...]
    serde_library: str
    serde_parameters: dict[str, str]
    notes: tuple[str, ...]
    table_parameters: dict[str, str] = field(default_factory=dict[str, str])
    attributes: tuple[Attribute, ...] = ()

    def field_name(self, key: str) -> str:
        """The struct field through which an attribute of this name is read, at any depth."""
        if self.serde_library != OPENX_SERDE:
            return key.lower()
        mapped = (k for k, v in self.serde_parameters.items() if v == key)
        return next((k.removeprefix("mapping.") for k in mapped if k.startswith("mapping.")), key)


def table_layout(
    attributes: Sequence[Attribute],
    *,
    serde: str = "auto",
    known_fields: Mapping[str, str] | None = None,
) -> TableLayout:
    """Lay out the raw table for these attributes.

    Args:
        attributes: Declared and inferred ones, united; none for a table of which nothing is known.
        serde: `auto` is the Hive SerDe, unless an attribute's name needs OpenX's mapping.
        known_fields: Field -> attribute name of the table as it is; they stay as they are.

    Raises:
        DeclarationError: `hive` was asked for and cannot name an attribute, or the attributes are
            more than a Glue column can hold in any form.
    """
    if serde not in {"auto", "hive", "openx"}:
        raise DeclarationError(
            f"serde: {serde!r} is not known", remedy="allowed: auto, hive, openx"
        )
    item = item_shape(attributes)
    obstacles = hive_obstacles(item)
    notes: list[str] = []
    if serde == "hive" and obstacles:
        raise DeclarationError(
            f"the Hive JSON SerDe cannot name {len(obstacles)} of the attributes: "
            f"{_some(obstacles)}",
            remedy="set `serde: openx` (or leave it at auto)",
            attributes=list(obstacles),
        )
    openx = serde == "openx" or bool(obstacles)
    if obstacles and serde == "auto":
        notes.append(
            f"read with the OpenX SerDe, because {_some(obstacles)}; AWS warns that OpenX can "
            "return too many rows, too few, or NULL where there is a value"
        )
    keys = all_keys(attributes)
    names = openx_names(keys, known_fields or {}) if openx else hive_names(keys)
    item, widened = fit(item, lambda shape: len(_column_type(shape, names).text), MAX_TYPE_LENGTH)
    notes += [f"{path} is read as a map with open keys: the type was too long" for path in widened]
    attributes = item_attributes(item)
    parameters = {"case.insensitive": "FALSE", **mapping_parameters(names)} if openx else {}
    return TableLayout(
        columns=(("item", _column_type(item, names).text, _comment(keys, names)),),
        serde_library=OPENX_SERDE if openx else HIVE_SERDE,
        serde_parameters=parameters,
        notes=tuple(notes),
        table_parameters={ATTRIBUTES_PARAMETER: _written(attributes)},
        attributes=attributes,
    )


def merge_attributes(
    declared: Sequence[Attribute], inferred: Sequence[Attribute]
) -> tuple[Attribute, ...]:
    """Declared attributes in their order, then what else was inferred.

    A declared attribute keeps its decision between fixed and open keys; types and keys that were
    found beyond the declaration are added, so that no value is out of reach. The one exception is a
    map declared with fixed keys whose keys are open in the data: `shapes.uncovered` tells.
    """
    item, found = item_shape(declared), item_shape(inferred)
    # An item with open keys has more attributes than anybody declares: it stays a map.
    return item_attributes(unite(item, found, declared=found.values is None))


def written_attributes(table_parameters: Mapping[str, str]) -> tuple[Attribute, ...]:
    """The attributes an earlier refresh left on the Glue table; none if it left none.

    Raises:
        CatalogConflictError: The parameter is there and cannot be read.
    """
    text = table_parameters.get(ATTRIBUTES_PARAMETER)
    if text is None:
        return ()
    try:
        return parse_columns(json.loads(text))
    except (ValueError, DeclarationError) as error:
        raise CatalogConflictError(
            f"the table's parameter {ATTRIBUTES_PARAMETER} cannot be read: {error}",
            remedy="remove the parameter from the Glue table; it is written again",
        ) from error


def _written(attributes: Sequence[Attribute]) -> str:
    return json.dumps(format_columns(attributes), separators=(",", ":"))


def _column_type(item: Shape, names: Mapping[str, str]) -> HiveType:
    return _map_type(item, names.__getitem__)


def _value_type(shape: Shape, name: Callable[[str], str]) -> HiveType:
    """The struct over `{"S": …}`: one field per type."""
    fields: list[tuple[str, HiveType]] = [
        (code.lower(), _SCALAR_TYPES[code]) for code in SCALAR_CODES if code in shape.scalars
    ]
    if shape.fields is not None or shape.values is not None:
        fields.append(("m", _map_type(shape, name)))
    if shape.element is not None:
        empty = shape.element == Shape()
        fields.append(("l", _EMPTY_LIST if empty else Array(_value_type(shape.element, name))))
    # Nothing was ever seen here: Hive has no struct without fields.
    return Struct(tuple(fields)) if fields else _EMPTY_MAP


def _map_type(shape: Shape, name: Callable[[str], str]) -> HiveType:
    if shape.values is not None:
        empty = shape.values == Shape()
        return _EMPTY_MAP if empty else Map(STRING, _value_type(shape.values, name))
    if not shape.fields:
        return _EMPTY_MAP
    return Struct(tuple((name(a.name), _value_type(a.shape, name)) for a in shape.fields))


def _comment(keys: Sequence[str], names: Mapping[str, str]) -> str:
    """What the fields are called in DynamoDB, as far as the comment reaches."""
    text = "The DynamoDB item, as exported"
    renamed = [f"{names[key]}={key}" for key in keys if names[key] != key]
    joint = "; field=attribute: "
    for entry in renamed:
        if not entry.isprintable():
            continue
        if len(text) + len(joint) + len(entry) > MAX_COMMENT_LENGTH - len(", …"):
            return f"{text}, …"
        text += f"{joint}{entry}"
        joint = ", "
    return text


def _some(obstacles: Sequence[str]) -> str:
    rest = len(obstacles) - _SHOWN
    return "; ".join(obstacles[:_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")

"""Names of struct fields for the JSON keys of an export.

The Hive JSON SerDe finds a field by the key's name without case and knows no mapping. The OpenX
SerDe has `mapping.FIELD = KEY`, but one mapping for the whole table: a field name stands for the
same key at every depth, type letters included.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ddb_assets.schema.attributes import Attribute, Shape

#: Field -> key for what is not an attribute: the column, and the types below every attribute.
RESERVED = {
    "item": "Item",
    **{code.lower(): code for code in ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "M", "L")},
}
#: Glue, SerDeInfo: a parameter's key has at most 255 characters, and `mapping.` is one of them.
MAX_FIELD_LENGTH = 255 - len("mapping.")

_LEGAL = re.compile(r"[A-Za-z0-9_]+")
_ILLEGAL = re.compile(r"[^a-z0-9_]")


def hive_obstacles(item: Shape) -> tuple[str, ...]:
    """Why the Hive SerDe cannot name every attribute; empty if it can. Each names the attribute."""
    return tuple(_obstacles(item, ""))


def _obstacles(shape: Shape, path: str) -> Iterator[str]:
    if shape.element is not None:
        yield from _obstacles(shape.element, f"{path}[]")
    if shape.values is not None:
        yield from _obstacles(shape.values, f"{path}.*" if path else "*")
    owners: dict[str, str] = {}
    for attribute in shape.fields or ():
        name = attribute.name
        here = f"{path}.{name}" if path else name
        if not _LEGAL.fullmatch(name):
            yield f"{here!r} has characters a column cannot have"
        elif len(name) > MAX_FIELD_LENGTH:
            yield f"{here[:60]!r}… is longer than {MAX_FIELD_LENGTH} characters"
        elif name.lower() in owners:
            yield f"{here!r} differs only by case from {owners[name.lower()]!r}"
        owners.setdefault(name.lower(), name)
        yield from _obstacles(attribute.shape, here)


def all_keys(attributes: Sequence[Attribute]) -> list[str]:
    """Every attribute name at every depth once, outer ones first."""
    found: dict[str, None] = {}
    level = [Shape(fields=tuple(attributes))]
    while level:
        inside: list[Shape] = []
        for shape in level:
            for attribute in shape.fields or ():
                found.setdefault(attribute.name)
                inside.append(attribute.shape)
            inside += [s for s in (shape.values, shape.element) if s is not None]
        level = inside
    return list(found)


def hive_names(keys: Iterable[str]) -> dict[str, str]:
    """Key -> field for the Hive SerDe."""
    return {key: key.lower() for key in keys}


def openx_names(keys: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Key -> field for the OpenX SerDe, one field per key and one key per field.

    Args:
        keys: Every attribute name in the table.
        known: Field -> key as the table has them already. A field once given stays with its key,
            even while the attribute is not there, so that queries go on reading the same thing.

    The rest get their own name in lower case where that is free, plain names before others, and
    otherwise that name and eight digits of the key's SHA-256: a function of the key alone.
    """
    owner = dict(RESERVED)
    for field, key in known.items():
        owner.setdefault(field, key)
    names: dict[str, str] = {}
    for field, key in owner.items():
        names.setdefault(key, field)
    wanted = sorted(set(keys) - names.keys(), key=lambda key: (not is_plain(key), key))
    for key in wanted:
        field = _free(key, owner)
        owner[field] = key
        names[key] = field
    return names


def mapping_parameters(names: Mapping[str, str]) -> dict[str, str]:
    """The OpenX SerDe's parameters for key -> field."""
    return {
        f"mapping.{field}": key
        for key, field in sorted(names.items(), key=lambda pair: pair[1])
        if key != field
    }


def is_plain(key: str) -> bool:
    """Whether the key can be its own field name as it is."""
    return bool(key) and _legal(key) == key


def _legal(key: str) -> str:
    return _ILLEGAL.sub("_", key.lower())[:MAX_FIELD_LENGTH]


def _free(key: str, taken: Mapping[str, str]) -> str:
    base = _legal(key)
    if base not in taken:
        return base
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    for length in range(8, len(digest) + 1):
        field = f"{base[: MAX_FIELD_LENGTH - length - 1]}_{digest[:length]}"
        if field not in taken:
            return field
    raise AssertionError(f"no free field name for {key!r}")

"""The declared form of columns, as YAML or Python has it, read into attributes and written back.

    columns:
      userId: S
      createAt: N
      tags: SS
      address: {M: {street: S, zip: N}}     # a map with fixed keys
      prices: {M: {"*": N}}                 # a map with open keys
      lines: {L: {M: {sku: S, n: N}}}       # a list
      mixed: [S, N]                         # several types

A name that is `*`, or begins with a backslash, is written with a backslash before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard, get_args

from ddb_assets.errors import DeclarationError
from ddb_assets.schema.attributes import Attribute, ScalarCode, Shape

#: DynamoDB, "Naming rules": an attribute's name is less than 64 KB, in UTF-8.
MAX_ATTRIBUTE_NAME_BYTES = 65_535
#: DynamoDB, "Constraints": nested attributes go at most 32 levels deep.
MAX_NESTING = 32
#: The key that stands for every key of a map.
ANY_KEY = "*"

#: In the order they are written and shown.
SCALAR_CODES: tuple[ScalarCode, ...] = get_args(ScalarCode)

_ALLOWED = f"{', '.join(SCALAR_CODES)}, {{M: …}}, {{L: …}} or a list of these"


def parse_columns(
    columns: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> tuple[Attribute, ...]:
    """Read declared columns.

    Args:
        columns: Name -> form; or a list of such mappings, in which a name may appear once.

    Raises:
        DeclarationError: Names the path, the value found and what is allowed there.
    """
    if isinstance(columns, Mapping):
        return _fields(columns, "columns", 1)
    if isinstance(columns, str) or not _is_list(columns):
        raise _refused("columns", columns, "a mapping of attribute name to type")
    entries: list[tuple[str, Any]] = []
    for position, entry in enumerate(columns):
        if not _is_mapping(entry) or not entry:
            raise _refused(f"columns[{position}]", entry, "a mapping of attribute name to type")
        entries.extend(entry.items())
    return _attributes(entries, "columns", 1)


def format_columns(attributes: Sequence[Attribute]) -> dict[str, Any]:
    """The inverse of `parse_columns`: plain values that YAML and JSON can write."""
    if len(attributes) == 1 and attributes[0].name == ANY_KEY:
        return {ANY_KEY: _format(attributes[0].shape)}
    return {_escape(attribute.name): _format(attribute.shape) for attribute in attributes}


def _format(shape: Shape) -> Any:
    forms: list[Any] = [code for code in SCALAR_CODES if code in shape.scalars]
    if shape.values is not None:
        forms.append({"M": {ANY_KEY: _format(shape.values)}})
    elif shape.fields is not None:
        forms.append({"M": {_escape(a.name): _format(a.shape) for a in shape.fields}})
    if shape.element is not None:
        forms.append({"L": _format(shape.element)})
    return forms[0] if len(forms) == 1 else forms


def _escape(name: str) -> str:
    return f"\\{name}" if name == ANY_KEY or name.startswith("\\") else name


def _fields(columns: Mapping[Any, Any], path: str, depth: int) -> tuple[Attribute, ...]:
    return _attributes(columns.items(), path, depth)


def _attributes(entries: Iterable[tuple[Any, Any]], path: str, depth: int) -> tuple[Attribute, ...]:
    found: dict[str, Attribute] = {}
    for written, form in entries:
        name = _name(written, path)
        here = f"{path}.{name}"
        if name in found:
            raise DeclarationError(
                f"{here} is declared twice", remedy="declare each attribute once", path=here
            )
        found[name] = Attribute(name, _shape(form, here, depth))
    return tuple(found.values())


def _name(written: Any, path: str) -> str:
    if not isinstance(written, str):
        raise DeclarationError(
            f"{path}: the attribute name {written!r} is not text",
            remedy="put it in quotes: YAML reads bare numbers, dates, on, yes and null as values",
            path=path,
        )
    name = written.removeprefix("\\") if written.startswith("\\") else written
    if not name:
        raise DeclarationError(
            f"{path}: an attribute's name is empty",
            remedy="DynamoDB's names have at least one character",
            path=path,
        )
    if (size := len(name.encode("utf-8", "surrogatepass"))) > MAX_ATTRIBUTE_NAME_BYTES:
        raise DeclarationError(
            f"{path}: the attribute name {name[:40]!r}… has {size} bytes",
            remedy=f"DynamoDB allows {MAX_ATTRIBUTE_NAME_BYTES}",
            path=path,
        )
    return name


def _shape(form: Any, path: str, depth: int) -> Shape:
    """A type code, a map, a list, or a union of these."""
    if depth > MAX_NESTING + 1:
        raise DeclarationError(
            f"{path[:120]}… is nested deeper than {MAX_NESTING} levels",
            remedy=f"DynamoDB nests attributes at most {MAX_NESTING} levels deep",
            path=path,
        )
    if isinstance(form, str):
        return Shape(scalars=frozenset([_scalar(form, path)]))
    if _is_mapping(form):
        return _document(form, path, depth)
    if _is_list(form):
        return _union(form, path, depth)
    if form is None:
        raise DeclarationError(
            f"{path} has no type (an empty value, or NULL without quotes)",
            remedy=f"write 'NULL' in quotes, or one of: {_ALLOWED}",
            path=path,
        )
    raise _refused(path, form, _ALLOWED)


def _scalar(code: str, path: str) -> ScalarCode:
    for known in SCALAR_CODES:
        if code == known:
            return known
    if code in {"M", "L"}:
        inside = "{M: {street: S}} or {M: {'*': S}}" if code == "M" else "{L: S}"
        raise _refused(path, code, f"what is inside as well, as in {inside}")
    raise _refused(path, code, _ALLOWED)


def _document(form: Mapping[Any, Any], path: str, depth: int) -> Shape:
    if len(form) != 1 or next(iter(form)) not in {"M", "L"}:
        raise _refused(path, form, "one key, M or L; a map with fixed keys is {M: {street: S}}")
    code, inside = next(iter(form.items()))
    if code == "L":
        if _is_list(inside) and not inside:
            return Shape(element=Shape())
        return Shape(element=_shape(inside, f"{path}[]", depth + 1))
    if not _is_mapping(inside):
        raise _refused(
            f"{path}.M", inside, "a mapping of key to type, or {'*': type} for open keys"
        )
    if ANY_KEY not in inside:
        return Shape(fields=_fields(inside, path, depth + 1))
    if len(inside) > 1:
        raise _refused(f"{path}.M", inside, "either '*' alone (open keys) or named keys")
    values = inside[ANY_KEY]
    if _is_list(values) and not values:
        return Shape(values=Shape())
    return Shape(values=_shape(values, f"{path}.*", depth + 1))


def _union(forms: Sequence[Any], path: str, depth: int) -> Shape:
    scalars: set[ScalarCode] = set()
    fields: tuple[Attribute, ...] | None = None
    values: Shape | None = None
    element: Shape | None = None
    if not forms:
        raise _refused(path, forms, _ALLOWED)
    for form in forms:
        if _is_list(form):
            raise _refused(path, form, "a flat list of types")
        shape = _shape(form, path, depth)
        twice = (
            (shape.scalars & scalars)
            or (shape.element is not None and element is not None)
            or ((shape.fields, shape.values) != (None, None) and (fields, values) != (None, None))
        )
        if twice:
            raise _refused(path, form, "each type once")
        scalars |= shape.scalars
        fields = shape.fields if fields is None else fields
        values = shape.values if values is None else values
        element = shape.element if element is None else element
    return Shape(frozenset(scalars), fields, values, element)


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _refused(path: str, found: Any, allowed: str) -> DeclarationError:
    return DeclarationError(
        f"{path}: {_short(found)} is not allowed here",
        remedy=f"allowed: {allowed}",
        path=path,
        found=_short(found),
        allowed=allowed,
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"

"""Declared columns as YAML text, to be pasted into a declaration and read back as the same.

Written here and not by PyYAML: with `allow_unicode` it leaves characters that its own reader takes
for line breaks, without it nobody can read a name in another script; and a declaration is best read
with what is nested on one line as long as it fits.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ddb_assets.schema.attributes import Attribute
from ddb_assets.schema.declaration import format_columns

#: Characters of a line beyond which what is nested goes on lines of its own.
_WIDTH: Final = 100
#: YAML 1.2, "Implicit keys": at most 1024 characters on one line; longer ones begin with `?`.
_MOST_IMPLICIT: Final = 1000

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
#: What YAML 1.1 reads as a boolean or null where it stands without quotes.
_VALUES: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def columns_yaml(attributes: Sequence[Attribute], indent: int = 0) -> str:
    """`columns:` and what belongs below it, each line ended.

    Args:
        attributes: What is declared.
        indent: Blanks before each line.
    """
    columns = format_columns(attributes)
    if not columns:
        return f"{' ' * indent}columns: {{}}\n"
    lines = [f"{' ' * indent}columns:", *_mapping(columns, indent + 2)]
    return "".join(f"{line}\n" for line in lines)


def _mapping(fields: Mapping[str, Any], indent: int) -> Iterator[str]:
    blanks = " " * indent
    for name, form in fields.items():
        key = _key(name)
        flow = _flow(form)
        explicit = len(key) > _MOST_IMPLICIT
        if explicit:
            yield f"{blanks}? {key}"
            key = ""
        if indent + len(key) + len(flow) + 2 <= _WIDTH or not form or isinstance(form, str):
            yield f"{blanks}{key}: {flow}"
        elif explicit:
            # What follows `:` on its line must not be a block that begins on the next one.
            yield f"{blanks}: {flow}"
        else:
            yield f"{blanks}{key}:"
            yield from _block(form, indent + 2)


def _block(form: Any, indent: int) -> Iterator[str]:
    if isinstance(form, Mapping):
        yield from _mapping(form, indent)  # pyright: ignore[reportUnknownArgumentType] - of `_format`
        return
    for one in form:
        if isinstance(one, str):
            yield f"{' ' * indent}- {_code(one)}"
        else:
            first, *rest = _mapping(one, indent + 2)
            yield f"{' ' * indent}- {first.lstrip()}"
            yield from rest


def _flow(form: Any) -> str:
    if isinstance(form, str):
        return _code(form)
    if isinstance(form, Mapping):
        entries: list[tuple[str, str]] = [(_key(name), _flow(one)) for name, one in form.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - of `_format`
        inside = (
            f"{'? ' if len(key) > _MOST_IMPLICIT else ''}{key}: {one}" for key, one in entries
        )
        return f"{{{', '.join(inside)}}}"
    return f"[{', '.join(map(_flow, form))}]"


def _code(code: str) -> str:
    return '"NULL"' if code == "NULL" else code


def _key(name: str) -> str:
    if _PLAIN.fullmatch(name) and name.lower() not in _VALUES:
        return name
    return f'"{"".join(map(_escaped, name))}"'


def _escaped(char: str) -> str:
    if char in {'"', "\\"}:
        return f"\\{char}"
    if char.isprintable():
        # All of it is printable to YAML, too; U+10FFFF, which PyYAML refuses, is not to Python.
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"

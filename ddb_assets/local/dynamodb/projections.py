"""Projection expressions over an item's stored JSON."""

import re
from collections.abc import Mapping
from typing import Any, cast

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

_STEP = re.compile(r"(?P<name>#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*)|\[(?P<index>\d+)\]")

#: A document path: names of attributes and map members, positions in lists.
Path = tuple[str | int, ...]
#: What to keep of a value: all of it, or parts by name or position.
Keep = dict[str | int, "Keep"]


class ProjectionError(ValueError):
    """The expression is no projection."""


class Projection:
    """Cuts items down to some of their attributes.

    Args:
        text: The ProjectionExpression.
        names: ExpressionAttributeNames.

    Raises:
        ProjectionError: Says what is wrong with the expression.
    """

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._keep: Keep = {}
        paths = [_parse(path.strip(), names) for path in text.split(",")]
        for i, path in enumerate(paths):
            for other in paths[:i]:
                if path[: len(other)] == other or other[: len(path)] == path:
                    shown = ", ".join(str(list(p)) for p in (other, path))
                    raise ProjectionError(
                        "Two document paths overlap with each other; must remove or rewrite one "
                        f"of these paths; path one and two: {shown}"
                    )
            level = self._keep
            for step in path:
                level = level.setdefault(step, {})

    def of(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """What the projection keeps of an item, in the item's order."""
        return _members(attributes, self._keep)


def _parse(text: str, names: Mapping[str, str]) -> Path:
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        if steps and text[position] == ".":
            position += 1
            expected = "name"
        else:
            expected = "index" if steps else "name"
        step = _STEP.match(text, position)
        if step is None or step[expected] is None:
            break
        position = step.end()
        if step["index"] is not None:
            steps.append(int(step["index"]))
        elif step["name"].startswith("#"):
            steps.append(names[step["name"]])
        elif step["name"].upper() in ReservedKeywords.get_reserved_keywords():
            raise ProjectionError(
                f"Attribute name is a reserved keyword; reserved keyword: {step['name']}"
            )
        else:
            steps.append(step["name"])
    if not steps or position < len(text) or text.endswith("."):
        token = text[position : position + 10]
        raise ProjectionError(f'Syntax error; token: "{token}", near: "{text}"')
    return tuple(steps)


def _members(values: dict[str, Any], keep: Keep) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if name in keep:
            part = _part(value, keep[name])
            if part is not None:
                kept[name] = part
    return kept


def _part(value: dict[str, Any], keep: Keep) -> dict[str, Any] | None:
    """The wanted part of one typed value; None if it has no such part."""
    if not keep:
        return value
    ((kind, content),) = value.items()
    if kind == "M":
        members = _members(cast("dict[str, Any]", content), keep)
        return {kind: members} if members else None
    if kind == "L":
        parts = [
            part
            for position, member in enumerate(cast("list[dict[str, Any]]", content))
            if position in keep and (part := _part(member, keep[position])) is not None
        ]
        return {kind: parts} if parts else None
    return None

"""FilterSpecification: which items an export carries, and which of their attributes.

Expressions are parsed and evaluated by moto, but for projections, which here cut the stored JSON so
that what is left keeps its exact text. AWS page S3DataExport.Filtered.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing.key_condition_expression import parse_expression

from ddb_assets.local.dynamodb.errors import validation
from ddb_assets.local.dynamodb.journal import Key, dump, image
from ddb_assets.local.dynamodb.numbers import normalise_item
from ddb_assets.local.dynamodb.projections import Projection, ProjectionError

#: Limits of an expression (AWS page S3DataExport.Filtered).
MOST_EXPRESSION_BYTES = 4096
MOST_OPERATORS = 300
MOST_NAME_BYTES = 250
MOST_VALUES_BYTES = 2 * 1024 * 1024

_EXPRESSIONS = ("KeyConditionExpression", "FilterExpression", "ProjectionExpression")
_OPERATOR = re.compile(
    r"<>|<=|>=|=|<|>|\b(?:AND|OR|NOT|BETWEEN|IN)\b|\b(?:attribute_exists|attribute_not_exists|"
    r"attribute_type|begins_with|contains|size)\b(?=\s*\()",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")


@dataclass(frozen=True)
class TableKey:
    """A table's key: its schema as CreateTable takes it, and the types of its parts."""

    schema: list[dict[str, str]]
    partition_type: str
    sort_type: str | None


class ItemFilter:
    """Decides on one stored item at a time.

    Args:
        specification: The FilterSpecification as it was sent.
        key: The table's key.

    Raises:
        JsonRESTError: ValidationException; names the expression that is wrong.
    """

    def __init__(self, specification: Mapping[str, Any], key: TableKey) -> None:
        self._made_from = (specification, key)
        self._names = dict(specification.get("ExpressionAttributeNames") or {})
        self._values = normalise_item(
            cast("dict[str, Any]", specification.get("ExpressionAttributeValues") or {})
        )
        texts = {name: specification[name] for name in _EXPRESSIONS if name in specification}
        _check_limits(texts, self._names, self._values)
        _check_placeholders(texts, self._names, self._values)
        spaced = {name: " ".join(text.split()) for name, text in texts.items()}
        self._hash_key, self._in_range = self._key_condition(
            spaced.get("KeyConditionExpression"), key
        )
        self._condition = self._filter_expression(spaced.get("FilterExpression"))
        projection = spaced.get("ProjectionExpression")
        try:
            self._projection = Projection(projection, self._names) if projection else None
        except ProjectionError as cause:
            raise _refused(f"Invalid ProjectionExpression: {cause}") from cause

    def __reduce__(self) -> tuple[type["ItemFilter"], tuple[Mapping[str, Any], TableKey]]:
        """For snapshots: compiled expressions are compiled again."""
        return ItemFilter, self._made_from

    def apply(self, key: Key, stored: bytes) -> bytes | None:
        """The item as the export carries it; None if it does not.

        Args:
            key: The item's stored key.
            stored: Its image.
        """
        if self._hash_key is not None and key[0] != self._hash_key:
            return None
        if self._in_range is not None and not self._in_range(key[1]):
            return None
        if self._condition is None and self._projection is None:
            return stored
        attributes = cast("dict[str, Any]", json.loads(stored))
        if self._condition is not None and not self._condition(attributes):
            return None
        return stored if self._projection is None else image(self._projection.of(attributes))

    def _key_condition(
        self, text: str | None, table: TableKey
    ) -> tuple[str | None, Callable[[str | None], bool] | None]:
        if text is None:
            return None, None
        try:
            partition, ranges, _ = parse_expression(text, self._values, self._names, table.schema)
        except JsonRESTError as cause:
            message = cause.message.removeprefix("Invalid KeyConditionExpression: ")
            raise _refused(f"Invalid KeyConditionExpression: {message}") from cause
        except (ValueError, KeyError, IndexError, TypeError) as cause:
            raise _refused(f"Invalid KeyConditionExpression: Syntax error: {text}") from cause
        ((_, wanted),) = partition
        hash_key = dump(DynamoType(wanted).to_json())
        # At most one condition on the sort key, of which a table has at most one.
        comparison, values = (ranges[0][1], ranges[0][2]) if ranges else ("", [])
        bounds = [DynamoType(value) for value in values]
        if DynamoType(wanted).type != table.partition_type or any(
            bound.type != table.sort_type for bound in bounds
        ):
            raise _refused(
                "Invalid KeyConditionExpression: "
                "Condition parameter type does not match schema type"
            )
        if not ranges:
            return hash_key, None

        def in_range(sort_key: str | None) -> bool:
            stored = normalise_item({"key": json.loads(sort_key or "null")})["key"]
            return bool(DynamoType(stored).compare(comparison, bounds))

        return hash_key, in_range

    def _filter_expression(self, text: str | None) -> Callable[[dict[str, Any]], bool] | None:
        if text is None:
            return None
        try:
            condition = get_filter_expression(text, self._names, self._values)
        except JsonRESTError as cause:
            message = cause.message.removeprefix("Invalid ConditionExpression: ")
            raise _refused(f"Invalid FilterExpression: {message}") from cause
        except (ValueError, KeyError, IndexError, TypeError) as cause:
            raise _refused(f"Invalid FilterExpression: Syntax error: {text}") from cause
        nowhere = DynamoType({"NULL": True})  # an expression looks at attributes, not at the key

        def holds(attributes: dict[str, Any]) -> bool:
            item = cast("Item", Item(nowhere, None, normalise_item(attributes)))
            try:
                return bool(condition.expr(item))
            except TypeError:
                return False  # values of two types are in no order: DynamoDB compares them false

        return holds


def _check_limits(
    texts: Mapping[str, str], names: Mapping[str, str], values: Mapping[str, Any]
) -> None:
    for name, text in texts.items():
        if not text.strip():
            raise _refused(f"Invalid {name}: The expression can not be empty;")
        size, operators = len(text.encode()), len(_OPERATOR.findall(text))
        if size > MOST_EXPRESSION_BYTES:
            raise _refused(
                f"Invalid {name}: Expression size has exceeded the maximum allowed size; "
                f"expression size: {size}"
            )
        if operators > MOST_OPERATORS:
            raise _refused(
                f"Invalid {name}: The expression contains too many operators; "
                f"operator count: {operators}"
            )
    for placeholder, name in names.items():
        for text in (placeholder, name):
            if len(text.encode()) > MOST_NAME_BYTES:
                raise _refused(
                    "ExpressionAttributeNames contains a name that is too long: "
                    f"{len(text.encode())} bytes, at most {MOST_NAME_BYTES}"
                )
    size = len(image(values)) if values else 0
    if size > MOST_VALUES_BYTES:
        raise _refused(
            f"ExpressionAttributeValues exceeds max size: {size} bytes, at most {MOST_VALUES_BYTES}"
        )


def _check_placeholders(
    texts: Mapping[str, str], names: Mapping[str, str], values: Mapping[str, Any]
) -> None:
    used: set[str] = set()
    for name, text in texts.items():
        for placeholder in _PLACEHOLDER.findall(text):
            used.add(placeholder)
            if placeholder.startswith("#") and placeholder not in names:
                raise _refused(
                    f"Invalid {name}: An expression attribute name used in the document path is "
                    f"not defined; attribute name: {placeholder}"
                )
            if placeholder.startswith(":") and placeholder not in values:
                raise _refused(
                    f"Invalid {name}: An expression attribute value used in expression is not "
                    f"defined; attribute value: {placeholder}"
                )
    for member, defined in (("Names", names), ("Values", values)):
        if unused := sorted(set(defined) - used):
            raise _refused(
                f"Value provided in ExpressionAttribute{member} unused in expressions: "
                f"keys: {{{', '.join(unused)}}}"
            )


def _refused(message: str) -> JsonRESTError:
    return validation(f"Invalid Request: Invalid FilterSpecification: {message}")

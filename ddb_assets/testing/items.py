"""Python values as DynamoDB's attribute values, exactly."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, cast

#: DynamoDB page "Supported data types": 38 digits of precision.
MAX_DIGITS = 38


def item(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """One item: attribute names and plain Python values.

    `str` is S, `int`, `float` and `Decimal` are N, `bytes` B, `bool` BOOL, None NULL, a mapping M,
    a list or tuple L, a set of one kind SS, NS or BS. A float is the number Python prints.

    Raises:
        TypeError: A value DynamoDB has no type for; names the attribute.
        ValueError: A number it cannot hold, or an empty set; names the attribute.
    """
    return {name: attribute_value(value, at=name) for name, value in values.items()}


def attribute_value(value: Any, *, at: str) -> dict[str, Any]:
    """One value with its type; `at` is the attribute's path, for errors."""
    if isinstance(value, Mapping):
        inside = cast("Mapping[str, Any]", value).items()
        return {"M": {name: attribute_value(one, at=f"{at}.{name}") for name, one in inside}}
    if isinstance(value, AbstractSet):
        return _set(cast("AbstractSet[Any]", value), at)
    if isinstance(value, list | tuple):
        listed = enumerate(cast("Sequence[Any]", value))
        return {"L": [attribute_value(one, at=f"{at}[{n}]") for n, one in listed]}
    return _scalar(value, at)


def _scalar(value: Any, at: str) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float | Decimal):
        return {"N": _number(value, at)}
    if isinstance(value, bytes | bytearray):
        return {"B": bytes(value)}
    raise TypeError(f"{at}: DynamoDB has no type for {type(value).__name__}")


def _number(value: float | Decimal, at: str) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or len(number.as_tuple().digits) > MAX_DIGITS:
        raise ValueError(f"{at}: {value!r} is not a number of at most {MAX_DIGITS} digits")
    return str(number)


def _set(values: AbstractSet[Any], at: str) -> dict[str, Any]:
    typed = [attribute_value(value, at=at) for value in values]
    kinds = {kind for one in typed for kind in one}
    if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
        raise ValueError(f"{at}: a set holds at least one value, all str, all numbers or all bytes")
    kind = kinds.pop()
    return {f"{kind}S": sorted(one[kind] for one in typed)}

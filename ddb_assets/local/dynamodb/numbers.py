"""Numbers as DynamoDB keeps them: values, not text, of at most 38 significant digits.

`1.50` is stored and answered as `1.5`, `1E2` as `100`. AWS pages HowItWorks.NamingRulesDataTypes
and Limits; the texts of the errors agree with dynalite's, which were taken from DynamoDB.
"""

import base64
import re
from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any, cast

from ddb_assets.local.dynamodb.errors import validation

#: Significant digits of a number.
MOST_DIGITS = 38
#: Exponents of the first digit: 9.99…E+125 is the largest magnitude, 1E-130 the smallest.
HIGHEST_EXPONENT, LOWEST_EXPONENT = 125, -130

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def canonical(text: str) -> str:
    """The one spelling of a number: plain digits, no zeros to trim, no sign before zero.

    Raises:
        JsonRESTError: ValidationException; not a number, out of range, or more than 38 digits.
    """
    if not text:
        raise validation("The parameter cannot be converted to a numeric value")
    if not _NUMBER.fullmatch(text):
        raise validation(f"The parameter cannot be converted to a numeric value: {text}")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal holds
        raise _out_of_range(over="-" not in text.lower().partition("e")[2]) from None
    if not number:
        return "0"
    if not LOWEST_EXPONENT <= number.adjusted() <= HIGHEST_EXPONENT:
        raise _out_of_range(over=number.adjusted() > 0)
    exact = number.normalize(Context(prec=len(number.as_tuple().digits)))
    if len(exact.as_tuple().digits) > MOST_DIGITS:
        raise validation("Attempting to store more than 38 significant digits in a Number")
    return format(exact, "f")


def _out_of_range(*, over: bool) -> Exception:
    flow, size = ("overflow", "larger") if over else ("underflow", "smaller")
    return validation(
        f"Number {flow}. Attempting to store a number with magnitude {size} than supported range"
    )


def normalise_request(parameters: Any) -> None:
    """Rewrite every number in a request in place, however deep, before anything is done with it.

    A one-key map from N to text is a number: a user's attribute named `N` holds a map, not text.

    Raises:
        JsonRESTError: ValidationException for a number DynamoDB refuses.
    """
    if isinstance(parameters, dict):
        node = cast("dict[str, Any]", parameters)
        if len(node) == 1:
            ((kind, value),) = node.items()
            if kind == "N" and isinstance(value, str):
                node[kind] = canonical(value)
                return
            if kind == "NS" and _all_text(value):
                node[kind] = canonical_set(value)
                return
        for value in node.values():
            normalise_request(value)
    elif isinstance(parameters, list):
        for value in cast("list[Any]", parameters):
            normalise_request(value)


def canonical_set(texts: list[str]) -> list[str]:
    """The members of a number set, each in its one spelling, in their order.

    Raises:
        JsonRESTError: ValidationException for a bad number, or one that is there twice.
    """
    numbers = [canonical(text) for text in texts]
    if len(set(numbers)) != len(numbers):
        raise validation(
            "One or more parameter values were invalid: Input collection contains duplicates"
        )
    return numbers


def normalise_item(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """An item of typed values in DynamoDB's spelling: canonical numbers, binary as bytes.

    Items reach a table by ways that parse no request (imports, PartiQL, seeds), and binary comes
    from those as base64 text: stored so, one key would be two items. Maps come as other mappings.

    Raises:
        JsonRESTError: ValidationException for a number DynamoDB refuses.
    """
    return {name: _normalise(value) for name, value in attributes.items()}


def _normalise(value: Any) -> Any:
    if not isinstance(value, Mapping):  # a value moto has already typed
        return value
    typed = cast("Mapping[str, Any]", value)
    if len(typed) != 1:
        what = "has more than one datatypes set" if typed else "is empty"
        raise validation(
            f"Supplied AttributeValue {what}, must contain exactly one of the supported datatypes"
        )
    ((kind, content),) = typed.items()
    match kind, content:
        case "N", str():
            content = canonical(content)
        case "NS", list():
            content = canonical_set(cast("list[str]", content))
        case "B", str():
            content = base64.b64decode(content)
        case "BS", list():
            members = cast("list[str | bytes]", content)
            content = [base64.b64decode(m) if isinstance(m, str) else m for m in members]
        case "M", Mapping():
            content = normalise_item(cast("Mapping[str, Any]", content))
        case "L", list():
            content = [_normalise(member) for member in cast("list[Any]", content)]
        case _:
            pass
    return {kind: content}


def normalise_stored(value: Any) -> None:
    """Rewrite the numbers inside a moto value in place: arithmetic leaves `2.0` and `1E+2`.

    Raises:
        JsonRESTError: ValidationException for a result DynamoDB refuses.
    """
    if value.type == "N":
        value.value = canonical(value.value)
    elif value.type == "NS":
        value.value = canonical_set(value.value)
    elif value.type == "M":
        for member in value.value.values():
            normalise_stored(member)
    elif value.type == "L":
        for member in value.value:
            normalise_stored(member)


def _all_text(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(member, str) for member in cast("list[Any]", value)
    )

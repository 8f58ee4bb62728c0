"""DynamoDB attribute values in their JSON form, as they stand in a request and in an export."""

import base64
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

#: One attribute value: a dict of exactly one type letter (or two) and its value.
Value = dict[str, Any]
Item = dict[str, Value]

NULL: Value = {"NULL": True}


def digits(number: int | str | Decimal) -> str:
    """The number as DynamoDB gives it back: plain digits, no exponent, no trailing zeros."""
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def string(text: str) -> Value:
    """S."""
    return {"S": text}


def number(value: int | str | Decimal) -> Value:
    """N."""
    return {"N": digits(value)}


def binary(value: bytes) -> Value:
    """B."""
    return {"B": base64.b64encode(value).decode()}


def boolean(value: bool) -> Value:
    """BOOL."""
    return {"BOOL": value}


def strings(values: Iterable[str]) -> Value:
    """SS."""
    return {"SS": list(values)}


def numbers(values: Iterable[int | str | Decimal]) -> Value:
    """NS."""
    return {"NS": [digits(value) for value in values]}


def binaries(values: Iterable[bytes]) -> Value:
    """BS."""
    return {"BS": [base64.b64encode(value).decode() for value in values]}


def mapping(values: Item) -> Value:
    """M."""
    return {"M": values}


def listing(values: Iterable[Value]) -> Value:
    """L."""
    return {"L": list(values)}

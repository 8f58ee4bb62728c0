"""The ladder for DynamoDB's numbers: bigint, decimal(p,s), string; the first rung that is exact.

A DynamoDB number has up to 38 significant digits between 1E-130 and 9.99E+125 (DynamoDB,
"Supported data types"), so no fixed decimal holds every one of them.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal

from ddb_assets.schema.number_stats import BIGINT_HIGHEST, BIGINT_LOWEST, NumberStats

#: Athena, "Data types": decimal has at most 38 digits.
MAX_PRECISION = 38
#: Digits that hold every bigint.
_BIGINT_DIGITS = 19
#: Enough to compare and scale any DynamoDB number without rounding.
_EXACT = Context(prec=400)


@dataclass(frozen=True)
class NumberType:
    """One rung of the ladder.

    Attributes:
        kind: The rung.
        precision: Of a decimal: all its digits.
        scale: Of a decimal: its digits after the point.
    """

    kind: Literal["bigint", "decimal", "string"]
    precision: int = 0
    scale: int = 0

    @property
    def hive(self) -> str:
        """As Glue and DDL write it."""
        return f"decimal({self.precision},{self.scale})" if self.kind == "decimal" else self.kind

    @property
    def query(self) -> str:
        """As queries write it."""
        return "varchar" if self.kind == "string" else self.hive

    def holds(self, number: Decimal) -> bool:
        """Whether the type has this number exactly."""
        if self.kind == "string":
            return True
        scaled = number.scaleb(self.scale, _EXACT)
        if scaled != scaled.to_integral_value():
            return False
        if self.kind == "bigint":
            return BIGINT_LOWEST <= number <= BIGINT_HIGHEST
        return abs(scaled) < Decimal(10) ** self.precision


BIGINT = NumberType("bigint")
STRING = NumberType("string")


def decimal(whole: int, scale: int) -> NumberType:
    """A decimal with so many digits before and after the point, or string where none has them."""
    precision = max(whole + scale, 1)
    return NumberType("decimal", precision, scale) if precision <= MAX_PRECISION else STRING


def narrowest(stats: NumberStats) -> NumberType:
    """The first rung that holds every number observed; bigint where there was none."""
    if not stats.fraction and not stats.beyond_bigint:
        return BIGINT
    return decimal(stats.whole, stats.fraction)


def widen(first: NumberType, second: NumberType) -> NumberType:
    """The first rung that holds everything both hold: a column's type never gets narrower."""
    if first == second:
        return first
    if "string" in {first.kind, second.kind}:
        return STRING
    scale = max(first.scale, second.scale)
    return decimal(max(_whole(first), _whole(second)), scale)


def _whole(number_type: NumberType) -> int:
    if number_type.kind == "bigint":
        return _BIGINT_DIGITS
    return number_type.precision - number_type.scale

"""What a column of DynamoDB numbers needs to be held exactly: digits and range."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

BIGINT_LOWEST = -(2**63)
BIGINT_HIGHEST = 2**63 - 1


@dataclass(slots=True)
class NumberStats:
    """Digits and range of every number observed; grows only, so merging has no order.

    Attributes:
        whole: Most digits before the decimal point; 1 for zero, 0 for 0.5.
        fraction: Most digits after it, trailing zeros not counted.
        significant: Most significant digits in one number (DynamoDB allows 38).
        beyond_bigint: Whether one lies outside a signed 64-bit integer's range.
        plain: Whether every one is written as an integer, without point or exponent.
    """

    whole: int = 0
    fraction: int = 0
    significant: int = 0
    beyond_bigint: bool = False
    plain: bool = True

    def observe(self, text: str) -> None:
        """Take in one number as DynamoDB writes it.

        Raises:
            ValueError: It is not a finite decimal number.
        """
        size = len(text)
        if size <= 18 and text.isdigit() and text.isascii() and (size == 1 or text[0] != "0"):
            # The common case, without Decimal: four times as fast.
            if size > self.whole:  # noqa: PLR1730 - a call to max() for every number
                self.whole = size
            if size > self.significant:
                self.significant = max(self.significant, len(text.rstrip("0")), 1)
            return
        self._observe_any(text)

    def _observe_any(self, text: str) -> None:
        if not text.isascii() or "_" in text or text != text.strip():
            raise ValueError(f"{text[:50]!r} is not a number")
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise ValueError(f"{text[:50]!r} is not a number") from error
        if not value.is_finite():
            raise ValueError(f"{text[:50]!r} is not a finite number")
        self.plain &= text.removeprefix("-").isdigit()
        if not value:
            self.whole = max(self.whole, 1)
            self.significant = max(self.significant, 1)
            return
        _, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        written = "".join(map(str, digits))
        significant = written.strip("0")
        lowest = exponent + len(written) - len(written.rstrip("0"))
        self.whole = max(self.whole, value.adjusted() + 1)
        self.fraction = max(self.fraction, -lowest)
        self.significant = max(self.significant, len(significant))
        # The comparison with int is exact; a number of 125 digits is never expanded.
        self.beyond_bigint |= not BIGINT_LOWEST <= value <= BIGINT_HIGHEST

    def absorb(self, other: "NumberStats") -> None:
        """Take in all that the other one observed."""
        self.whole = max(self.whole, other.whole)
        self.fraction = max(self.fraction, other.fraction)
        self.significant = max(self.significant, other.significant)
        self.beyond_bigint |= other.beyond_bigint
        self.plain &= other.plain

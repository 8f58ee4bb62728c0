"""Vectorised conversions: DynamoDB's number texts and base64 into Arrow arrays, exactly."""

from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

from ddb_assets.reading.extras import Array, DataType, load

#: Holds and scales any DynamoDB number without rounding.
_EXACT: Final = Context(prec=400)
_INVALID: Final = 255
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class BadValueError(ValueError):
    """A block holds a value that is not what the plan says; which line, the caller finds out."""


def numbers(texts: Array, to: DataType) -> Array:
    """Number texts as a type that holds every one of them.

    Raises:
        BadValueError: One is no number, or the type does not hold it.
    """
    pa = load("pyarrow")
    if has_hex(texts):
        raise BadValueError("a number is not written in decimal")
    try:
        found = load("pyarrow.compute").cast(texts, to)
    except pa.ArrowInvalid:
        return _numbers_one_by_one(texts, to)
    if pa.types.is_string(to):
        check_numbers(texts)
    return found


def has_hex(texts: Array) -> bool:
    """Whether a text has the letter x: Arrow's integers would read `0x10` as 16."""
    np = load("numpy")
    data = texts.buffers()[2]
    if data is None:
        return False
    return bool(((np.frombuffer(data, np.uint8) | 0x20) == ord("x")).any())


def check_numbers(texts: Array) -> None:
    """That every text is a finite decimal number.

    Raises:
        BadValueError: One is not.
    """
    compute = load("pyarrow.compute")
    fine = compute.match_substring_regex(
        texts, r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
    )
    if compute.all(fine).as_py() is False:
        raise BadValueError("a number is not a decimal number")


def _numbers_one_by_one(texts: Array, to: DataType) -> Array:
    """What Arrow's cast refuses although it fits: `7.0` or `1E3` as int64, 40 digits of zeros."""
    pa = load("pyarrow")
    check_numbers(texts)
    found: list[Any] = []
    integer = pa.types.is_integer(to)
    for text in texts.to_pylist():
        if text is None:
            found.append(None)
            continue
        value = Decimal(text)
        scale = 0 if integer else to.scale
        try:
            fitted = value.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
        except InvalidOperation:
            raise BadValueError(f"the number {text[:50]} does not fit {to}") from None
        if fitted != value:
            raise BadValueError(f"the number {text[:50]} does not fit {to}")
        found.append(int(fitted) if integer else fitted)
    try:
        return pa.array(found, to)
    except (pa.ArrowInvalid, OverflowError) as error:
        raise BadValueError(f"a number does not fit {to}: {error}") from error


def binary(texts: Array) -> Array:
    """Base64 texts as bytes; every text on its own has a length of four times something.

    Raises:
        BadValueError: One is not base64.
    """
    pa, np = load("pyarrow"), load("numpy")
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    offsets = offsets[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    first, last = int(offsets[0]), int(offsets[-1])
    coded = np.frombuffer(data, np.uint8)[first:last] if last > first else np.zeros(0, np.uint8)
    offsets = offsets - first
    lengths = np.diff(offsets)
    if (lengths & 3).any():
        raise BadValueError("a binary value is not base64: its length is not four times something")
    decoded, new_offsets = _decoded(np, coded, offsets, lengths)
    buffers = [None, pa.py_buffer(new_offsets), pa.py_buffer(decoded)]
    found = pa.Array.from_buffers(pa.binary(), len(texts), buffers)
    if texts.null_count:
        compute = load("pyarrow.compute")
        found = compute.if_else(compute.is_valid(texts), found, pa.scalar(None, pa.binary()))
    return found


def _decoded(np: Any, coded: Any, offsets: Any, lengths: Any) -> tuple[Any, Any]:
    """All texts at once: six bits a letter, then without the bytes that were padding."""
    table = np.full(256, _INVALID, np.uint8)
    table[np.frombuffer(_ALPHABET, np.uint8)] = np.arange(64, dtype=np.uint8)
    padding = np.zeros(len(lengths), np.int32)
    filled = lengths > 0
    ends = offsets[1:][filled]
    last = coded[ends - 1] == ord("=")
    padding[filled] = last.astype(np.int32) + (last & (coded[ends - 2] == ord("=")))
    bits = table[coded]
    bad = bits == _INVALID
    # Only the padding just counted may be there.
    if int(bad.sum()) != int(padding.sum()):
        raise BadValueError("a binary value is not base64")
    bits[bad] = 0
    group = bits.reshape(-1, 4).astype(np.uint32)
    word = (group[:, 0] << 18) | (group[:, 1] << 12) | (group[:, 2] << 6) | group[:, 3]
    whole = np.empty((len(word), 3), np.uint8)
    whole[:, 0] = word >> 16
    whole[:, 1] = word >> 8
    whole[:, 2] = word
    flat = whole.reshape(-1)
    if padding.any():
        keep = np.ones(len(flat), bool)
        ends_decoded = offsets[1:] // 4 * 3
        keep[ends_decoded[padding >= 1] - 1] = False
        keep[ends_decoded[padding == 2] - 2] = False
        flat = flat[keep]
    new_offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths // 4 * 3 - padding, out=new_offsets[1:])
    return flat, new_offsets

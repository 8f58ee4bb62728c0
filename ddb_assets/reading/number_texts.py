"""`NumberStats` of many number texts at once; equal to observing them one by one."""

from typing import Any, Final

from ddb_assets.reading.extras import Array, load
from ddb_assets.reading.values import has_hex
from ddb_assets.schema.number_stats import NumberStats

_SIMPLE: Final = r"^-?[0-9]+(\.[0-9]+)?$"
#: Up to this many digits any integer is a bigint.
_SURELY_BIGINT: Final = 18


def number_stats(texts: Array) -> NumberStats:
    """What a column needs to hold all of these exactly; nulls are passed over.

    Raises:
        ValueError: One is not a finite decimal number.
    """
    pa: Any = load("pyarrow")
    compute: Any = load("pyarrow.compute")
    texts = texts.drop_null() if texts.null_count else texts
    stats = NumberStats()
    if not len(texts):
        return stats
    if not has_hex(texts):
        try:
            return _of_integers(compute.cast(texts, pa.int64()))
        except pa.ArrowInvalid:
            pass
    simple = compute.match_substring_regex(texts, _SIMPLE)
    for text in compute.unique(texts.filter(compute.invert(simple))).to_pylist():
        stats.observe(text)
    stats.absorb(_of_plain_texts(compute, texts.filter(simple)))
    return stats


def _of_integers(values: Array) -> NumberStats:
    """Texts that Arrow reads as integers have no point, exponent or plus sign."""
    np: Any = load("numpy")
    given = np.asarray(values)
    # The negation of the lowest int64 is itself; as unsigned it is right.
    size = np.where(given < 0, -given, given).astype(np.uint64)
    whole = _digits(int(size.max()))
    significant = 1
    while len(size):
        trailing = (size % np.uint64(10) == 0) & (size > 0)
        ended = size[~trailing]
        if len(ended):
            significant = max(significant, _digits(int(ended.max())))
        if significant >= whole:
            break
        size = size[trailing] // np.uint64(10)
    return NumberStats(whole=whole, significant=significant)


def _digits(value: int) -> int:
    return len(str(value))


def _of_plain_texts(compute: Any, texts: Array) -> NumberStats:
    """Texts with digits, perhaps a point and a minus sign, and nothing else."""
    stats = NumberStats()
    if not len(texts):
        return stats
    bare = compute.ascii_ltrim(texts, "-0")
    point = compute.find_substring(bare, ".")
    without = compute.equal(point, -1)
    integers = bare.filter(without)
    if len(integers):
        _take_integers(compute, stats, integers)
    if len(integers) < len(bare):
        stats.plain = False
        fractions = compute.ascii_rtrim(bare.filter(compute.invert(without)), "0")
        _take_fractions(compute, stats, fractions)
    if stats.whole > _SURELY_BIGINT:
        large = compute.greater(compute.binary_length(bare), _SURELY_BIGINT)
        for text in compute.unique(texts.filter(large)).to_pylist():
            stats.observe(text)
    return stats


def _take_integers(compute: Any, stats: NumberStats, bare: Array) -> None:
    stats.whole = max(_longest(compute, bare), 1)
    stats.significant = max(_longest(compute, compute.ascii_rtrim(bare, "0")), 1)


def _take_fractions(compute: Any, stats: NumberStats, bare: Array) -> None:
    """Of `12.5`, `.05`, `12.` and `.`: no zeros at either end, a point in it."""
    point = compute.find_substring(bare, ".")
    length = compute.binary_length(bare)
    stats.whole = max(stats.whole, compute.max(point).as_py())
    zero = compute.equal(length, 1)
    if compute.any(zero).as_py():
        stats.whole = max(stats.whole, 1)
        stats.significant = max(stats.significant, 1)
    after = compute.subtract(compute.subtract(length, point), 1)
    stats.fraction = max(stats.fraction, compute.max(after).as_py())
    digits = compute.ascii_trim(compute.replace_substring(bare, ".", ""), "0")
    stats.significant = max(stats.significant, _longest(compute, digits))


def _longest(compute: Any, texts: Array) -> int:
    return compute.max(compute.binary_length(texts)).as_py()

/* Decimal text into fixed width, and what all the numbers of a column have in common. */
#include "number.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Arrow's decimals are written here with the lowest word first"
#endif

__extension__ typedef unsigned __int128 u128;

/* Python's Decimal goes further; no number of DynamoDB does. */
#define MAX_EXPONENT_DIGITS 6
/* Longest text looked at: 400 KB is an item's limit, and int32 counts digits. */
#define MAX_TEXT (1 << 24)
#define CHUNK 18

static const uint64_t POWERS[CHUNK + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
};

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* The `E+5` behind the digits. */
static bool scan_exponent(const uint8_t *p, const uint8_t *end, int32_t *exponent) {
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end || end - p > MAX_EXPONENT_DIGITS) return false;
    int32_t found = 0;
    for (; p < end; p++) {
        if (!is_digit(*p)) return false;
        found = found * 10 + (*p - '0');
    }
    *exponent = negative ? -found : found;
    return true;
}

bool scan_number(const uint8_t *text, size_t size, Number *number) {
    const uint8_t *p = text, *end = text + size, *first = NULL;
    if (!size || size > MAX_TEXT) return false;
    bool plus = *p == '+', point = false;
    number->negative = *p == '-';
    if (plus || number->negative) p++;
    /* Digits before the point, after it, and since the first that counts; then the same counts as
     * they were at the last digit that is not zero. */
    int32_t whole = 0, fraction = 0, since = 0, last_whole = 0, last_fraction = 0, significant = 0;
    for (; p < end; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*p)) break;
        if (point)
            fraction++;
        else
            whole++;
        if (*p != '0' && !first) first = p;
        since += first != NULL;
        if (*p != '0') {
            significant = since;
            last_whole = whole;
            last_fraction = fraction;
        }
    }
    if (!whole && !fraction) return false;
    int32_t exponent = 0;
    bool has_exponent = p < end;
    if (has_exponent) {
        if (*p != 'e' && *p != 'E') return false;
        if (!scan_exponent(p + 1, end, &exponent)) return false;
    }
    number->zero = !first;
    number->plain = !plus && !point && !has_exponent;
    number->digits = first;
    number->significant = significant;
    number->lowest = exponent + (last_fraction ? -last_fraction : whole - last_whole);
    return true;
}

/* Up to CHUNK digits from p on, past a point; p ends behind them. */
static uint64_t digits_from(const uint8_t **p, int32_t count) {
    uint64_t found = 0;
    while (count) {
        if (**p != '.') {
            found = found * 10 + (uint64_t)(**p - '0');
            count--;
        }
        (*p)++;
    }
    return found;
}

/* limbs = limbs * factor + addend, which the caller knows to fit. */
static void multiply_add(uint64_t *limbs, int count, uint64_t factor, uint64_t addend) {
    u128 carry = addend;
    for (int i = 0; i < count; i++) {
        carry += (u128)limbs[i] * factor;
        limbs[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

static void negate(uint64_t *limbs, int count) {
    uint64_t carry = 1;
    for (int i = 0; i < count; i++) {
        limbs[i] = ~limbs[i] + carry;
        carry = carry && !limbs[i];
    }
}

bool to_int64(const Number *number, int64_t *value) {
    *value = 0;
    if (number->zero) return true;
    if (number->lowest < 0 || number->lowest > 18) return false;
    if (number->significant + number->lowest > 19) return false;
    /* 19 digits are less than 2**64. */
    uint64_t found = 0;
    const uint8_t *p = number->digits;
    int32_t first = number->significant < CHUNK ? number->significant : CHUNK;
    found = digits_from(&p, first);
    if (number->significant > first) found = found * 10 + digits_from(&p, 1);
    found *= POWERS[number->lowest];
    uint64_t limit = (uint64_t)INT64_MAX + number->negative;
    if (found > limit) return false;
    *value = (int64_t)(number->negative ? ~found + 1 : found);
    return true;
}

bool to_decimal(const Number *number, int precision, int scale, int limbs, uint64_t *value) {
    memset(value, 0, (size_t)limbs * sizeof *value);
    if (number->zero) return true;
    int32_t zeros = number->lowest + scale;
    if (zeros < 0 || zeros > MAX_DIGITS) return false;
    if (number->significant > precision - zeros) return false;
    const uint8_t *p = number->digits;
    for (int32_t left = number->significant; left;) {
        int32_t some = left < CHUNK ? left : CHUNK;
        multiply_add(value, limbs, POWERS[some], digits_from(&p, some));
        left -= some;
    }
    for (int32_t left = zeros; left;) {
        int32_t some = left < CHUNK ? left : CHUNK;
        multiply_add(value, limbs, POWERS[some], 0);
        left -= some;
    }
    if (number->negative) negate(value, limbs);
    return true;
}

static bool is_beyond_bigint(const Number *number) {
    int32_t whole = number->significant + number->lowest;
    if (whole != 19) return whole > 19;
    const uint8_t *p = number->digits;
    int32_t given = number->significant < 19 ? number->significant : 19;
    int32_t some = given < CHUNK ? given : CHUNK;
    uint64_t found = digits_from(&p, some);
    if (given > some) found = found * 10 + digits_from(&p, 1);
    if (given < 19) found *= POWERS[19 - given];
    uint64_t limit = (uint64_t)INT64_MAX + number->negative;
    return found > limit || (found == limit && number->lowest < 0);
}

static void at_least(int32_t *most, int32_t value) {
    if (value > *most) *most = value;
}

bool observe_number(NumberStats *stats, const uint8_t *text, size_t size) {
    Number number;
    if (!scan_number(text, size, &number)) return false;
    stats->plain = stats->plain && number.plain;
    if (number.zero) {
        at_least(&stats->whole, 1);
        at_least(&stats->significant, 1);
        return true;
    }
    at_least(&stats->whole, number.significant + number.lowest);
    at_least(&stats->fraction, -number.lowest);
    at_least(&stats->significant, number.significant);
    stats->beyond_bigint = stats->beyond_bigint || is_beyond_bigint(&number);
    return true;
}

void absorb_numbers(NumberStats *stats, const NumberStats *other) {
    at_least(&stats->whole, other->whole);
    at_least(&stats->fraction, other->fraction);
    at_least(&stats->significant, other->significant);
    stats->beyond_bigint = stats->beyond_bigint || other->beyond_bigint;
    stats->plain = stats->plain && other->plain;
}

/* DynamoDB's numbers, which an export writes as text: up to 38 digits, 1E-130 to 9.99E+125.
 *
 * Nothing is rounded: a number that a type does not hold exactly is declined.
 */
#ifndef DDB_ASSETS_NUMBER_H
#define DDB_ASSETS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arrow, "Decimal256". */
#define MAX_DIGITS 76

/* A number without the zeros at either end. */
typedef struct {
    bool negative;
    bool zero;
    /* Written as an integer: digits, perhaps a minus sign, nothing else. */
    bool plain;
    /* The first digit that is not zero; a point may follow among the others. */
    const uint8_t *digits;
    /* Digits from there to the last that is not zero. */
    int32_t significant;
    /* Power of ten of the last of them. */
    int32_t lowest;
} Number;

/* What a column needs to hold all numbers seen; as schema.number_stats.NumberStats counts. */
typedef struct {
    int32_t whole;
    int32_t fraction;
    int32_t significant;
    bool beyond_bigint;
    bool plain;
} NumberStats;

#define NO_NUMBERS ((NumberStats){0, 0, 0, false, true})

/* Reads all of the text; false if it is not a decimal number or its exponent is absurd. */
bool scan_number(const uint8_t *text, size_t size, Number *number);

/* Each is false where the type does not hold the number exactly. */
bool to_int64(const Number *number, int64_t *value);
/* `limbs` 64-bit words, the lowest first: 2 for decimal128, 4 for decimal256. */
bool to_decimal(const Number *number, int precision, int scale, int limbs, uint64_t *value);

bool observe_number(NumberStats *stats, const uint8_t *text, size_t size);
void absorb_numbers(NumberStats *stats, const NumberStats *other);

/* Up to 18 digits without a leading zero, perhaps a minus sign: what most numbers are. */
static inline bool short_integer(const uint8_t *text, size_t size, int64_t *value) {
    bool negative = size && *text == '-';
    const uint8_t *p = text + negative, *end = text + size;
    if (end - p < 1 || end - p > 18 || (*p == '0' && end - p > 1)) return false;
    int64_t found = 0;
    for (; p < end; p++) {
        unsigned digit = (unsigned)*p - '0';
        if (digit > 9) return false;
        found = found * 10 + (int64_t)digit;
    }
    *value = negative ? -found : found;
    return true;
}

#endif

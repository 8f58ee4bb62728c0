/* Four letters of six bits each are three bytes. */
#include "base64.h"

#define BAD 0x80

static const uint8_t BITS[256] = {
#define BAD4 BAD, BAD, BAD, BAD
#define BAD16 BAD4, BAD4, BAD4, BAD4
    BAD16, BAD16, BAD4, BAD4, BAD, BAD, BAD, 62, BAD, BAD, BAD, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, BAD, BAD, BAD4,
    BAD, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, BAD, BAD4,
    BAD, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, BAD, BAD4,
    BAD16, BAD16, BAD16, BAD16, BAD16, BAD16, BAD16, BAD16,
};

bool decode_base64(const uint8_t *text, size_t size, uint8_t *to, size_t *written) {
    *written = 0;
    if (size % 4) return false;
    if (!size) return true;
    size_t padding = text[size - 1] == '=' ? 1u + (text[size - 2] == '=') : 0;
    /* The last four letters may have padding and are done apart. */
    const uint8_t *p = text, *last = text + size - 4;
    uint8_t bad = 0, *out = to;
    for (; p < last; p += 4, out += 3) {
        uint8_t a = BITS[p[0]], b = BITS[p[1]], c = BITS[p[2]], d = BITS[p[3]];
        bad |= a | b | c | d;
        out[0] = (uint8_t)(a << 2 | b >> 4);
        out[1] = (uint8_t)(b << 4 | c >> 2);
        out[2] = (uint8_t)(c << 6 | d);
    }
    uint8_t a = BITS[p[0]], b = BITS[p[1]];
    uint8_t c = padding > 1 ? 0 : BITS[p[2]], d = padding ? 0 : BITS[p[3]];
    bad |= a | b | c | d;
    *out++ = (uint8_t)(a << 2 | b >> 4);
    if (padding < 2) *out++ = (uint8_t)(b << 4 | c >> 2);
    if (!padding) *out++ = (uint8_t)(c << 6 | d);
    *written = (size_t)(out - to);
    return !(bad & BAD);
}

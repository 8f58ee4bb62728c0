/* The parts of scanning that are not in the way of most bytes. */
#include "scan.h"

static int hex_digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The four digits of `\uXXXX`; the caller has checked that there are four bytes. */
static int hex_unit(const uint8_t *p) {
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
static bool is_low(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/* p is at a backslash. */
static const uint8_t *scan_escape(const uint8_t *p, const uint8_t *end) {
    if (end - p < 2) return NULL;
    if (p[1] != 'u') return memchr("\"\\/bfnrt", p[1], 8) ? p + 2 : NULL;
    if (end - p < 6) return NULL;
    int unit = hex_unit(p + 2);
    if (unit < 0 || is_low(unit)) return NULL;
    if (!is_high(unit)) return p + 6;
    /* Half a character alone has no UTF-8. */
    if (end - p < 12 || p[6] != '\\' || p[7] != 'u' || !is_low(hex_unit(p + 8))) return NULL;
    return p + 12;
}

static bool is_tail(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/* Past one character of more than one byte (Unicode, table 3-7: no surrogates, none overlong). */
static const uint8_t *scan_utf8(const uint8_t *p, const uint8_t *end) {
    uint8_t lead = p[0];
    ptrdiff_t left = end - p;
    if (lead < 0xC2 || lead > 0xF4) return NULL;
    if (left < 2 || !is_tail(p[1])) return NULL;
    if (lead < 0xE0) return p + 2;
    if (left < 3 || !is_tail(p[2])) return NULL;
    if (lead < 0xF0) {
        bool bad = (lead == 0xE0 && p[1] < 0xA0) || (lead == 0xED && p[1] > 0x9F);
        return bad ? NULL : p + 3;
    }
    if (left < 4 || !is_tail(p[3])) return NULL;
    bool bad = (lead == 0xF0 && p[1] < 0x90) || (lead == 0xF4 && p[1] > 0x8F);
    return bad ? NULL : p + 4;
}

const uint8_t *scan_special(const uint8_t *p, const uint8_t *end, bool *escaped) {
    if (*p == '\\') {
        *escaped = true;
        return scan_escape(p, end);
    }
    if (*p < 0x20) return NULL;
    while (p && p < end && *p >= 0x80) p = scan_utf8(p, end);
    return p;
}

static size_t put_utf8(uint32_t point, uint8_t *to) {
    if (point < 0x80) {
        to[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (uint8_t)(0xC0 | point >> 6);
        to[1] = (uint8_t)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (uint8_t)(0xE0 | point >> 12);
        to[1] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (point & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | point >> 18);
    to[1] = (uint8_t)(0x80 | (point >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (point & 0x3F));
    return 4;
}

static uint8_t simple_escape(uint8_t letter) {
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter;
    }
}

size_t unescape(Text text, uint8_t *to) {
    /* scan_string has checked every escape; the shortest, of two bytes, writes one. */
    const uint8_t *p = text.start, *end = p + text.size;
    uint8_t *begin = to;
    while (p < end) {
        const uint8_t *back = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((back ? back : end) - p);
        memcpy(to, p, run);
        to += run;
        if (!back) break;
        p = back + 2;
        if (back[1] != 'u') {
            *to++ = simple_escape(back[1]);
            continue;
        }
        uint32_t point = (uint32_t)hex_unit(back + 2);
        p = back + 6;
        if (is_high((int)point)) {
            uint32_t low = (uint32_t)hex_unit(back + 8);
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            p = back + 12;
        }
        to += put_utf8(point, to);
    }
    return (size_t)(to - begin);
}

static bool skip_members(Cursor *c, int depth) {
    Text key;
    if (take(c, '}')) return true;
    do {
        if (!take(c, '"') || !scan_string(c, &key) || !take(c, ':')) return false;
        if (!skip_value(c, depth)) return false;
    } while (take(c, ','));
    return take(c, '}');
}

static bool skip_elements(Cursor *c, int depth) {
    if (take(c, ']')) return true;
    do {
        if (!skip_value(c, depth)) return false;
    } while (take(c, ','));
    return take(c, ']');
}

bool skip_value(Cursor *c, int depth) {
    Text text;
    bool value;
    if (depth >= MAX_JSON_DEPTH) return false;
    if (take(c, '"')) return scan_string(c, &text);
    if (take(c, '{')) return skip_members(c, depth + 1);
    if (take(c, '[')) return skip_elements(c, depth + 1);
    return scan_boolean(c, &value);
}

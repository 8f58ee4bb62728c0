/* JSON as an export writes it: one object a line; values are objects, arrays, strings, booleans.
 *
 * Everything here checks what it reads, to the rules of Python's json and of UTF-8 as Python
 * decodes it, or stricter. What is stricter (a lone surrogate, a bare number) is declined, not
 * refused: the Python code decides about it. Nothing is read at or beyond a cursor's end.
 */
#ifndef DDB_ASSETS_SCAN_H
#define DDB_ASSETS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* DynamoDB nests 32 levels, two of JSON each. This is far beyond and bounds the C stack. */
#define MAX_JSON_DEPTH 256

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} Cursor;

/* The bytes between two quotes as they are written. */
typedef struct {
    const uint8_t *start;
    size_t size;
    bool escaped;
} Text;

/* Past one escape or one run of non-ASCII at p; NULL if it is malformed. Sets *escaped. */
const uint8_t *scan_special(const uint8_t *p, const uint8_t *end, bool *escaped);

/* Past any value; the cursor is at its first byte. */
bool skip_value(Cursor *c, int depth);

/* Writes the text without its escapes, at most text.size bytes; returns how many. */
size_t unescape(Text text, uint8_t *to);

static inline bool is_space(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

/* A line feed is not skipped: it ends the item. */
static inline void skip_space(Cursor *c) {
    while (c->at < c->end && is_space(*c->at)) c->at++;
}

/* Past this byte and what space is before it. An export has none, so the first test is the one. */
static inline bool take(Cursor *c, uint8_t byte) {
    if (c->at < c->end && *c->at == byte) {
        c->at++;
        return true;
    }
    skip_space(c);
    if (c->at < c->end && *c->at == byte) {
        c->at++;
        return true;
    }
    return false;
}

static inline bool take_word(Cursor *c, const char *word, size_t size) {
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0) return false;
    c->at += size;
    return true;
}

/* The first quote, backslash, control character or byte of non-ASCII; end if there is none. */
static inline const uint8_t *plain_run(const uint8_t *p, const uint8_t *end) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, back));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_min_epu8(x, control), x));
        /* A byte of non-ASCII has its highest bit set already. */
        int mask = _mm_movemask_epi8(_mm_or_si128(found, x));
        if (mask) return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20 && *p < 0x80) p++;
    return p;
}

/* The rest of a string; the cursor is behind its opening quote. */
static inline bool scan_string(Cursor *c, Text *text) {
    const uint8_t *p = c->at;
    text->start = p;
    text->escaped = false;
    for (;;) {
        p = plain_run(p, c->end);
        if (p == c->end) return false;
        if (*p == '"') {
            text->size = (size_t)(p - text->start);
            c->at = p + 1;
            return true;
        }
        p = scan_special(p, c->end, &text->escaped);
        if (!p) return false;
    }
}

/* `true` or `false`. */
static inline bool scan_boolean(Cursor *c, bool *value) {
    skip_space(c);
    *value = take_word(c, "true", 4);
    return *value || take_word(c, "false", 5);
}

#endif

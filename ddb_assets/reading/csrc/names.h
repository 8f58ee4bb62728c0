/* The keys of one object: which come next, which are known, which came twice. */
#ifndef DDB_ASSETS_NAMES_H
#define DDB_ASSETS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "memory.h"
#include "scan.h"

#define HEAD 16

/* A key, UTF-8 without escapes. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
    uint64_t hash;
    /* Whether its bytes are what JSON has between the quotes. */
    bool as_written;
    /* How it begins in JSON, its closing quote included, to compare 16 bytes at once. */
    uint8_t head[HEAD];
} Name;

/* `bytes` have to live as long as the name. */
void name_set(Name *name, const uint8_t *bytes, size_t size);

/* So few keys of an object are compared one by one; more make a table. */
#define FEW 8

/* The keys of one object, to find one that comes twice. Begin with zeroes. */
typedef struct {
    size_t count;
    uint64_t few[FEW];
    uint64_t *table;
    size_t room;
} Seen;

/* False if it was there already (or, of 2**60 times once, another with its hash) or no memory. */
bool seen_add(Seen *seen, uint64_t hash);
void seen_free(Seen *seen);

/* Past the key, its closing quote included, if it is this one; the cursor is behind its first. */
static inline bool take_name(Cursor *c, const Name *name) {
    if (!name->as_written) return false;
    size_t size = name->size + 1, left = (size_t)(c->end - c->at);
    if (left < size) return false;
#if defined(__SSE2__)
    if (size <= HEAD && left >= HEAD) {
        __m128i have = _mm_loadu_si128((const __m128i *)c->at);
        __m128i want = _mm_loadu_si128((const __m128i *)name->head);
        unsigned equal = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(have, want));
        unsigned mask = size == HEAD ? 0xFFFFu : (1u << size) - 1;
        if ((equal & mask) != mask) return false;
        c->at += size;
        return true;
    }
#endif
    if (memcmp(c->at, name->bytes, name->size) != 0 || c->at[name->size] != '"') return false;
    c->at += size;
    return true;
}

static inline bool same_name(const Name *name, uint64_t hash, const uint8_t *bytes, size_t size) {
    return name->hash == hash && name->size == size && memcmp(name->bytes, bytes, size) == 0;
}

#endif

/* What both readers of items share: the frame of a line, the frame of a value, text. */
#ifndef DDB_ASSETS_ITEM_H
#define DDB_ASSETS_ITEM_H

#include "memory.h"
#include "scan.h"

/* DynamoDB's types. The order is the Python side's. */
typedef enum {
    TYPE_S,
    TYPE_N,
    TYPE_B,
    TYPE_BOOL,
    TYPE_NULL,
    TYPE_SS,
    TYPE_NS,
    TYPE_BS,
    TYPE_L,
    TYPE_M,
    TYPES,
} Type;

typedef struct {
    Cursor c;
    /* What has escapes is unescaped here; the next text takes its place. */
    Buffer scratch;
    bool no_memory;
} Reader;

/* Notes that something could not be stored. */
static inline bool stored(Reader *r, bool done) {
    if (!done) r->no_memory = true;
    return done;
}

/* A string, with its escapes undone. */
static inline bool read_text(Reader *r, Text *text) {
    if (!take(&r->c, '"') || !scan_string(&r->c, text)) return false;
    if (!text->escaped) return true;
    r->scratch.size = 0;
    if (!stored(r, buffer_reserve(&r->scratch, text->size + 1))) return false;
    text->size = unescape(*text, r->scratch.bytes);
    text->start = r->scratch.bytes;
    return true;
}

/* `{"S":` up to the value. A type written with escapes is declined. */
static inline bool read_type(Cursor *c, Type *type) {
    /* After `{"` the shortest end of a line is `S":""}}}`. */
    if (!take(c, '{') || !take(c, '"') || c->end - c->at < 8) return false;
    const uint8_t *p = c->at;
    if (p[1] == '"') {
        switch (p[0]) {
        case 'S': *type = TYPE_S; break;
        case 'N': *type = TYPE_N; break;
        case 'B': *type = TYPE_B; break;
        case 'L': *type = TYPE_L; break;
        case 'M': *type = TYPE_M; break;
        default: return false;
        }
        c->at += 2;
    } else if (p[1] == 'S' && p[2] == '"') {
        switch (p[0]) {
        case 'S': *type = TYPE_SS; break;
        case 'N': *type = TYPE_NS; break;
        case 'B': *type = TYPE_BS; break;
        default: return false;
        }
        c->at += 3;
    } else if (take_word(c, "BOOL\"", 5)) {
        *type = TYPE_BOOL;
    } else if (take_word(c, "NULL\"", 5)) {
        *type = TYPE_NULL;
    } else {
        return false;
    }
    return take(c, ':');
}

/* `{"Item":` up to the item. */
static inline bool begin_line(Cursor *c) {
    return take(c, '{') && take(c, '"') && take_word(c, "Item\"", 5) && take(c, ':');
}

/* `}` and the end of the line. */
static inline bool end_line(Cursor *c) {
    if (!take(c, '}')) return false;
    skip_space(c);
    return c->at == c->end || *c->at++ == '\n';
}

#endif

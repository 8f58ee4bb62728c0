/* What is done once for a key, and what few objects need. */
#include "names.h"

#include <stdlib.h>

void name_set(Name *name, const uint8_t *bytes, size_t size) {
    name->bytes = bytes;
    name->size = size;
    name->hash = hash_name(bytes, size);
    name->as_written = true;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '"' || bytes[i] == '\\' || bytes[i] < 0x20) name->as_written = false;
    size_t head = size < HEAD ? size : HEAD;
    memset(name->head, 0, HEAD);
    memcpy(name->head, bytes, head);
    if (size < HEAD) name->head[size] = '"';
}

static void put(uint64_t *table, size_t room, uint64_t hash) {
    size_t at = hash & (room - 1);
    while (table[at]) at = (at + 1) & (room - 1);
    table[at] = hash;
}

/* Places all hashes anew in a table at most half full; 0 is an empty place. */
static bool grow(Seen *seen) {
    size_t room = seen->room ? seen->room * 2 : 4 * FEW;
    uint64_t *table = calloc(room, sizeof *table);
    if (!table) return false;
    if (!seen->table)
        for (size_t i = 0; i < FEW; i++) put(table, room, seen->few[i]);
    for (size_t i = 0; i < seen->room; i++)
        if (seen->table[i]) put(table, room, seen->table[i]);
    free(seen->table);
    seen->table = table;
    seen->room = room;
    return true;
}

bool seen_add(Seen *seen, uint64_t hash) {
    hash += !hash;
    if (seen->count < FEW) {
        for (size_t i = 0; i < seen->count; i++)
            if (seen->few[i] == hash) return false;
        seen->few[seen->count++] = hash;
        return true;
    }
    if (2 * (seen->count + 1) > seen->room && !grow(seen)) return false;
    size_t at = hash & (seen->room - 1);
    for (; seen->table[at]; at = (at + 1) & (seen->room - 1))
        if (seen->table[at] == hash) return false;
    seen->table[at] = hash;
    seen->count++;
    return true;
}

void seen_free(Seen *seen) { free(seen->table); }

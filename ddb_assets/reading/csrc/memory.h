/* Buffers that grow, and a count of what Arrow holds of them. */
#ifndef DDB_ASSETS_MEMORY_H
#define DDB_ASSETS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *bytes;
    size_t size;
    size_t room;
} Buffer;

/* Room for so many bytes more; false if there is no memory. */
bool buffer_grow(Buffer *buffer, size_t more);
void buffer_free(Buffer *buffer);

/* Bytes of all buffers that are not freed yet, in every thread. */
int64_t buffer_bytes_held(void);

static inline bool buffer_reserve(Buffer *buffer, size_t more) {
    return buffer->room - buffer->size >= more || buffer_grow(buffer, more);
}

/* Memory of many small things that are freed together. */
typedef struct ArenaBlock ArenaBlock;
typedef struct {
    ArenaBlock *last;
} Arena;

/* Zeroed memory, aligned for anything; NULL if there is none. */
void *arena_take(Arena *arena, size_t size);
void arena_free(Arena *arena);

/* A hash of a name; good enough that equal hashes mean equal names but for one in 2**60 pairs. */
uint64_t hash_name(const uint8_t *name, size_t size);

#endif

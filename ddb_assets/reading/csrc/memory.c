/* Growing, counting, hashing. */
#include "memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256
#define ARENA_BLOCK (1 << 14)
#define ALIGNMENT 16

static _Atomic int64_t bytes_held;

bool buffer_grow(Buffer *buffer, size_t more) {
    if (more > SIZE_MAX / 4 - buffer->size) return false;
    size_t room = buffer->room ? buffer->room * 2 : FIRST_ROOM;
    if (room < buffer->size + more) room = buffer->size + more;
    uint8_t *bytes = realloc(buffer->bytes, room);
    if (!bytes) return false;
    atomic_fetch_add(&bytes_held, (int64_t)(room - buffer->room));
    buffer->bytes = bytes;
    buffer->room = room;
    return true;
}

void buffer_free(Buffer *buffer) {
    atomic_fetch_sub(&bytes_held, (int64_t)buffer->room);
    free(buffer->bytes);
    *buffer = (Buffer){0};
}

int64_t buffer_bytes_held(void) { return atomic_load(&bytes_held); }

struct ArenaBlock {
    ArenaBlock *before;
    size_t used;
    size_t size;
};

void *arena_take(Arena *arena, size_t size) {
    if (size > SIZE_MAX / 4) return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    const size_t header = (sizeof(ArenaBlock) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ArenaBlock *block = arena->last;
    if (!block || block->size - block->used < size) {
        size_t whole = header + size > ARENA_BLOCK ? header + size : ARENA_BLOCK;
        block = calloc(1, whole);
        if (!block) return NULL;
        *block = (ArenaBlock){arena->last, header, whole};
        arena->last = block;
    }
    void *taken = (uint8_t *)block + block->used;
    block->used += size;
    return taken;
}

void arena_free(Arena *arena) {
    while (arena->last) {
        ArenaBlock *before = arena->last->before;
        free(arena->last);
        arena->last = before;
    }
}

static uint64_t mix(uint64_t hash) {
    /* The finalizer of splitmix64: every bit of the input moves half of the output's. */
    hash ^= hash >> 30;
    hash *= 0xBF58476D1CE4E5B9u;
    hash ^= hash >> 27;
    hash *= 0x94D049BB133111EBu;
    return hash ^ hash >> 31;
}

uint64_t hash_name(const uint8_t *name, size_t size) {
    uint64_t hash = size * 0x9E3779B97F4A7C15u + 1, word;
    for (; size >= 8; size -= 8, name += 8) {
        memcpy(&word, name, 8);
        hash = mix(hash ^ word);
    }
    word = 0;
    memcpy(&word, name, size);
    return mix(hash ^ word);
}

/* An array owns its buffers and its children; whoever imports it calls release, in any thread. */
#include "arrow.h"

#include <stdlib.h>
#include <string.h>

#define MOST_BUFFERS 3

typedef struct {
    Buffer owned[MOST_BUFFERS];
    const void *pointers[MOST_BUFFERS];
} Held;

static void release_children(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];
        /* One that was moved out has no release any more. */
        if (child && child->release) child->release(child);
        free(child);
    }
    free(array->children);
}

static void release_array(struct ArrowArray *array) {
    Held *held = array->private_data;
    release_children(array);
    for (int i = 0; i < MOST_BUFFERS; i++) buffer_free(&held->owned[i]);
    free(held);
    array->release = NULL;
}

static bool make_children(struct ArrowArray *array, int64_t count) {
    array->n_children = count;
    if (!count) return true;
    array->children = calloc((size_t)count, sizeof *array->children);
    if (!array->children) {
        array->n_children = 0;
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        array->children[i] = calloc(1, sizeof **array->children);
        if (!array->children[i]) return false;
    }
    return true;
}

/* An array of so many rows that owns nothing yet. */
static bool make_array(struct ArrowArray *array, int64_t rows, int64_t buffers, int64_t children) {
    memset(array, 0, sizeof *array);
    Held *held = calloc(1, sizeof *held);
    if (!held) return false;
    array->length = rows;
    array->n_buffers = buffers;
    array->buffers = held->pointers;
    array->private_data = held;
    array->release = release_array;
    return make_children(array, children);
}

/* Empty arrays have buffers too: not every reader takes a null pointer for none. */
static bool have_some(Buffer *buffer) {
    bool empty = !buffer->size;
    if (!buffer_reserve(buffer, sizeof(int64_t))) return false;
    if (empty) memset(buffer->bytes, 0, sizeof(int64_t));
    return true;
}

static bool has_offsets(ColumnKind kind) {
    return kind <= COLUMN_NUMBER_TEXT || kind == COLUMN_LIST || kind == COLUMN_MAP;
}

static bool has_values(ColumnKind kind) { return kind < COLUMN_LIST; }

static bool prepare(Column *columns, int id) {
    Column *column = &columns[id];
    ColumnKind kind = column->plan->kind;
    if (has_offsets(kind) && !have_some(&column->offsets)) return false;
    if (has_values(kind) && !have_some(&column->values)) return false;
    for (int i = 0; i < column->plan->children; i++)
        if (!prepare(columns, column->plan->child[i])) return false;
    return true;
}

/* The shape of the array, before anything is moved into it. */
static bool shape(const Column *columns, int id, struct ArrowArray *array) {
    const Column *column = &columns[id];
    const ColumnPlan *plan = column->plan;
    int64_t buffers = 1 + has_offsets(plan->kind) + has_values(plan->kind);
    bool map = plan->kind == COLUMN_MAP;
    if (!make_array(array, column->rows, buffers, map ? 1 : plan->children)) return false;
    array->null_count = column->nulls;
    struct ArrowArray *inside = array;
    if (map) {
        /* The entries of a map are one struct. */
        inside = array->children[0];
        if (!make_array(inside, column->inside, 1, plan->children)) return false;
    }
    for (int i = 0; i < plan->children; i++)
        if (!shape(columns, plan->child[i], inside->children[i])) return false;
    return true;
}

static void give(struct ArrowArray *array, int at, Buffer *buffer) {
    Held *held = array->private_data;
    held->owned[at] = *buffer;
    held->pointers[at] = buffer->bytes;
    *buffer = (Buffer){0};
}

static void fill(Column *columns, int id, struct ArrowArray *array) {
    Column *column = &columns[id];
    ColumnKind kind = column->plan->kind;
    if (column->nulls) give(array, 0, &column->valid);
    int at = 1;
    if (has_offsets(kind)) give(array, at++, &column->offsets);
    if (has_values(kind)) give(array, at, &column->values);
    struct ArrowArray *inside = kind == COLUMN_MAP ? array->children[0] : array;
    for (int i = 0; i < column->plan->children; i++)
        fill(columns, column->plan->child[i], inside->children[i]);
}

bool arrow_export(Column *columns, int id, struct ArrowArray *array) {
    memset(array, 0, sizeof *array);
    if (prepare(columns, id) && shape(columns, id, array)) {
        fill(columns, id, array);
        return true;
    }
    if (array->release) array->release(array);
    return false;
}

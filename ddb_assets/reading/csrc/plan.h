/* What to make of items, compiled from ddb_assets.reading.native's tuples; many threads read it. */
#ifndef DDB_ASSETS_PLAN_H
#define DDB_ASSETS_PLAN_H

#include <Python.h>

#include "column.h"
#include "item.h"
#include "names.h"

/* A plan is refused beyond this depth: it is the depth of recursion. */
#define MAX_PLAN_DEPTH 100
#define NO_COLUMN (-1)

typedef struct Place Place;

/* The keys of a map with fixed keys. */
typedef struct {
    int count;
    Name *names;
    Place *places;
    /* Open addressing over the hashes: 1 + the position of a name, or 0. */
    uint32_t *table;
    uint32_t mask;
    /* Where a decoder keeps which key followed which: count + 1 of them. */
    int first_hint;
    /* The first of `count` numbers of rows, by which a decoder sees a key that comes twice. */
    int first_stamp;
} Fields;

/* One place a descriptor, `{"S": …}`, can be. */
struct Place {
    /* Column of the descriptor as JSON text; then nothing else is set. */
    int text;
    /* Struct column around the columns of several types. */
    int around;
    /* Column that says NULL. */
    int null_flag;
    /* Whether NULL may be here. */
    bool accepts_null;
    /* Column of each type's values; none of NULL's. */
    int column[TYPES];
    /* Of a map with fixed keys; of one with open keys; of a list. */
    Fields *fields;
    Place *values;
    Place *element;
};

typedef struct {
    Arena arena;
    int columns;
    ColumnPlan *column;
    /* Whether an attribute that is not planned is declined, or passed over. */
    bool strict;
    /* The item, as a map or as text. */
    Place item;
    /* What is handed out. */
    int outputs;
    int *output;
    int hints;
    int stamps;
} Plan;

/* Returns NULL with an exception set. */
Plan *plan_compile(PyObject *spec);
void plan_free(Plan *plan);

/* The position of a key; -1 if it is not planned. */
int fields_find(const Fields *fields, const uint8_t *name, size_t size);

#endif

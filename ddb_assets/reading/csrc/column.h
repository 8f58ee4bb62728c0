/* Arrow arrays while they are being filled (Arrow, "Arrow Columnar Format").
 *
 * A column is as long as its last value; the nulls of rows that have none are put in when the next
 * one comes, so that a row costs what is in it and not what it lacks.
 */
#ifndef DDB_ASSETS_COLUMN_H
#define DDB_ASSETS_COLUMN_H

#include "memory.h"

typedef enum {
    COLUMN_TEXT,
    COLUMN_BINARY,
    COLUMN_NUMBER_TEXT,
    COLUMN_BOOLEAN,
    COLUMN_INT64,
    COLUMN_DECIMAL128,
    COLUMN_DECIMAL256,
    COLUMN_LIST,
    COLUMN_MAP,
    COLUMN_STRUCT,
    COLUMN_KINDS,
} ColumnKind;

/* What a plan says of a column; the children are columns of the same plan. */
typedef struct {
    ColumnKind kind;
    int precision;
    int scale;
    int children;
    const int *child;
} ColumnPlan;

typedef struct {
    const ColumnPlan *plan;
    int64_t rows;
    int64_t nulls;
    /* Of a list or map: rows of its elements. */
    int64_t inside;
    /* A bit for each row; nothing until the first null. */
    Buffer valid;
    Buffer offsets;
    Buffer values;
} Column;

/* Nulls up to this row. */
bool column_pad(Column *column, int64_t row);
/* Marks the row as valid after those before it as null; its value is to be put next. */
bool column_begin(Column *column, int64_t row);

/* The value of the row begun. */
bool column_put_bytes(Column *column, const uint8_t *bytes, size_t size);
/* The same where the bytes were written behind the column's values already. */
bool column_put_written(Column *column, size_t size);
bool column_put_fixed(Column *column, const void *value, size_t size);
bool column_put_boolean(Column *column, bool value);
/* The end of a list's or map's elements. */
bool column_put_end(Column *column);

void column_free(Column *column);

#endif

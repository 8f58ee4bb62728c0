/* Columns handed to Arrow without a copy (Arrow, "The Arrow C data interface"). */
#ifndef DDB_ASSETS_ARROW_H
#define DDB_ASSETS_ARROW_H

#include "column.h"

/* The layout is the interface's; nothing of it may be moved. */
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

/* Moves the column and those inside it into an array; false if there is no memory. On success the
 * buffers are the array's and the columns are empty; on failure they stay the columns'. */
bool arrow_export(Column *columns, int id, struct ArrowArray *array);

#endif

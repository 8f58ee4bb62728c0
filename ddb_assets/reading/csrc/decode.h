/* Lines of a data file into the columns of a plan. */
#ifndef DDB_ASSETS_DECODE_H
#define DDB_ASSETS_DECODE_H

#include "plan.h"

typedef enum {
    DECODED,
    /* The lines are not as planned, or written as no export is: the Python code says which. */
    DECLINED,
    NO_MEMORY,
} Outcome;

/* Fills plan->columns columns, which are zeroed; needs no interpreter. */
Outcome decode_lines(const Plan *plan, const uint8_t *lines, size_t size, Column *columns);

#endif

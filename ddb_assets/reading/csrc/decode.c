/* One pass: every value is checked, converted and appended where it is met. */
#include "decode.h"

#include <stdlib.h>

#include "base64.h"
#include "number.h"

typedef struct {
    Reader in;
    const Plan *plan;
    Column *columns;
    /* By Fields.first_hint: which key came after which last time, as 1 + its position. */
    uint32_t *hints;
    /* By Fields.first_stamp: 1 + the last row that had the key. */
    int64_t *stamps;
} Decoder;

static bool read_descriptor(Decoder *d, const Place *place, int64_t row);
static bool read_fields(Decoder *d, const Fields *fields, int64_t row);

static bool put_text(Decoder *d, Column *column, int64_t row) {
    Text text;
    if (!read_text(&d->in, &text)) return false;
    return stored(&d->in, column_begin(column, row) && column_put_bytes(column, text.start, text.size));
}

static bool put_binary(Decoder *d, Column *column, int64_t row) {
    Text text;
    if (!read_text(&d->in, &text)) return false;
    Buffer *values = &column->values;
    if (!stored(&d->in, column_begin(column, row) && buffer_reserve(values, text.size / 4 * 3 + 1)))
        return false;
    size_t written;
    if (!decode_base64(text.start, text.size, values->bytes + values->size, &written)) return false;
    return stored(&d->in, column_put_written(column, written));
}

static bool put_decimal(Decoder *d, Column *column, int64_t row, const Number *number) {
    uint64_t limbs[4];
    const ColumnPlan *plan = column->plan;
    int count = plan->kind == COLUMN_DECIMAL128 ? 2 : 4;
    if (!to_decimal(number, plan->precision, plan->scale, count, limbs)) return false;
    return stored(&d->in, column_begin(column, row) && column_put_fixed(column, limbs, (size_t)count * 8));
}

static bool put_number(Decoder *d, Column *column, int64_t row) {
    Text text;
    Number number;
    int64_t value;
    if (!read_text(&d->in, &text)) return false;
    ColumnKind kind = column->plan->kind;
    bool quick = kind == COLUMN_INT64 && short_integer(text.start, text.size, &value);
    if (!quick) {
        if (!scan_number(text.start, text.size, &number)) return false;
        if (kind == COLUMN_NUMBER_TEXT)
            return stored(
                &d->in, column_begin(column, row) && column_put_bytes(column, text.start, text.size));
        if (kind != COLUMN_INT64) return put_decimal(d, column, row, &number);
        if (!to_int64(&number, &value)) return false;
    }
    return stored(&d->in, column_begin(column, row) && column_put_fixed(column, &value, sizeof value));
}

static bool put_boolean(Decoder *d, Column *column, int64_t row) {
    bool value;
    if (!scan_boolean(&d->in.c, &value)) return false;
    return stored(&d->in, column_begin(column, row) && column_put_boolean(column, value));
}

typedef bool (*Put)(Decoder *, Column *, int64_t);

static bool put_set(Decoder *d, Column *column, int64_t row, Put put) {
    Column *elements = &d->columns[column->plan->child[0]];
    if (!stored(&d->in, column_begin(column, row)) || !take(&d->in.c, '[')) return false;
    if (!take(&d->in.c, ']')) {
        do {
            if (!put(d, elements, column->inside++)) return false;
        } while (take(&d->in.c, ','));
        if (!take(&d->in.c, ']')) return false;
    }
    return stored(&d->in, column_put_end(column));
}

static bool put_list(Decoder *d, Column *column, int64_t row, const Place *element) {
    if (!stored(&d->in, column_begin(column, row)) || !take(&d->in.c, '[')) return false;
    if (!take(&d->in.c, ']')) {
        do {
            if (!read_descriptor(d, element, column->inside++)) return false;
        } while (take(&d->in.c, ','));
        if (!take(&d->in.c, ']')) return false;
    }
    return stored(&d->in, column_put_end(column));
}

static bool read_entries(Decoder *d, Column *column, const Place *value, Seen *seen) {
    Column *keys = &d->columns[column->plan->child[0]];
    if (take(&d->in.c, '}')) return true;
    do {
        Text key;
        if (!read_text(&d->in, &key)) return false;
        if (!seen_add(seen, hash_name(key.start, key.size))) return false;
        int64_t at = column->inside++;
        bool put = column_begin(keys, at) && column_put_bytes(keys, key.start, key.size);
        if (!stored(&d->in, put) || !take(&d->in.c, ':') || !read_descriptor(d, value, at)) return false;
    } while (take(&d->in.c, ','));
    return take(&d->in.c, '}');
}

static bool put_map(Decoder *d, const Place *place, int64_t row) {
    Column *column = &d->columns[place->column[TYPE_M]];
    if (!stored(&d->in, column_begin(column, row)) || !take(&d->in.c, '{')) return false;
    if (column->plan->kind == COLUMN_STRUCT) return read_fields(d, place->fields, row);
    if (place->values) {
        Seen seen = {0};
        bool read = read_entries(d, column, place->values, &seen);
        seen_free(&seen);
        if (!read) return false;
    } else if (!read_fields(d, place->fields, row)) {
        return false;
    }
    return stored(&d->in, column_put_end(column));
}

static bool put_value(Decoder *d, const Place *place, Type type, int64_t row) {
    int id = place->column[type];
    if (id == NO_COLUMN) return false;
    Column *column = &d->columns[id];
    switch (type) {
    case TYPE_S: return put_text(d, column, row);
    case TYPE_N: return put_number(d, column, row);
    case TYPE_B: return put_binary(d, column, row);
    case TYPE_BOOL: return put_boolean(d, column, row);
    case TYPE_SS: return put_set(d, column, row, put_text);
    case TYPE_NS: return put_set(d, column, row, put_number);
    case TYPE_BS: return put_set(d, column, row, put_binary);
    case TYPE_L: return put_list(d, column, row, place->element);
    case TYPE_M: return put_map(d, place, row);
    default: return false;
    }
}

static bool read_null(Decoder *d, const Place *place, int64_t row) {
    bool value;
    if (!place->accepts_null || !scan_boolean(&d->in.c, &value)) return false;
    if (place->null_flag == NO_COLUMN) return true;
    Column *flag = &d->columns[place->null_flag];
    return stored(&d->in, column_begin(flag, row) && column_put_boolean(flag, value));
}

static bool put_json(Decoder *d, Column *column, int64_t row) {
    skip_space(&d->in.c);
    const uint8_t *start = d->in.c.at;
    if (!skip_value(&d->in.c, 0)) return false;
    size_t size = (size_t)(d->in.c.at - start);
    return stored(&d->in, column_begin(column, row) && column_put_bytes(column, start, size));
}

static bool read_descriptor(Decoder *d, const Place *place, int64_t row) {
    Type type = TYPE_S;
    if (place->text != NO_COLUMN) return put_json(d, &d->columns[place->text], row);
    if (!read_type(&d->in.c, &type)) return false;
    if (type == TYPE_NULL) {
        if (!read_null(d, place, row)) return false;
    } else {
        if (!put_value(d, place, type, row)) return false;
        if (place->around != NO_COLUMN)
            if (!stored(&d->in, column_begin(&d->columns[place->around], row))) return false;
    }
    /* A second type in it is declined here. */
    return take(&d->in.c, '}');
}

/* Which key the cursor is at. Keys mostly come in the order of the item before. */
static bool read_key(Decoder *d, const Fields *fields, uint32_t *hint, int *position) {
    if (!take(&d->in.c, '"')) return false;
    if (*hint && take_name(&d->in.c, &fields->names[*hint - 1])) {
        *position = (int)*hint - 1;
        return true;
    }
    Text key;
    d->in.c.at--;
    if (!read_text(&d->in, &key)) return false;
    *position = fields_find(fields, key.start, key.size);
    if (*position >= 0) *hint = (uint32_t)*position + 1;
    return true;
}

/* The rest of an object whose keys are planned. */
static bool read_fields(Decoder *d, const Fields *fields, int64_t row) {
    uint32_t *hints = d->hints + fields->first_hint;
    int64_t *stamps = d->stamps + fields->first_stamp;
    uint32_t *hint = hints;
    if (take(&d->in.c, '}')) return true;
    do {
        int position;
        if (!read_key(d, fields, hint, &position) || !take(&d->in.c, ':')) return false;
        if (position < 0) {
            if (d->plan->strict) return false;
            skip_space(&d->in.c);
            if (!skip_value(&d->in.c, 0)) return false;
            continue;
        }
        if (stamps[position] == row + 1) return false;
        stamps[position] = row + 1;
        hint = hints + position + 1;
        if (!read_descriptor(d, &fields->places[position], row)) return false;
    } while (take(&d->in.c, ','));
    return take(&d->in.c, '}');
}

static bool read_line(Decoder *d, int64_t row) {
    const Place *item = &d->plan->item;
    if (!begin_line(&d->in.c)) return false;
    bool text = item->text != NO_COLUMN;
    bool read = text ? put_json(d, &d->columns[item->text], row) : put_map(d, item, row);
    return read && end_line(&d->in.c);
}

/* Nulls at the end of columns whose last rows have no value. */
static bool finish(const Plan *plan, Column *columns, int id, int64_t rows) {
    Column *column = &columns[id];
    if (!column_pad(column, rows)) return false;
    bool nested = column->plan->kind == COLUMN_LIST || column->plan->kind == COLUMN_MAP;
    for (int i = 0; i < column->plan->children; i++)
        if (!finish(plan, columns, column->plan->child[i], nested ? column->inside : rows)) return false;
    return true;
}

Outcome decode_lines(const Plan *plan, const uint8_t *lines, size_t size, Column *columns) {
    Decoder d = {.in.c = {lines, lines + size}, .plan = plan, .columns = columns};
    int64_t rows = 0;
    bool read = size <= INT32_MAX;
    for (int i = 0; i < plan->columns; i++) columns[i].plan = &plan->column[i];
    d.hints = calloc((size_t)plan->hints + 1, sizeof *d.hints);
    d.stamps = calloc((size_t)plan->stamps + 1, sizeof *d.stamps);
    if (!d.hints || !d.stamps) {
        d.in.no_memory = true;
        read = false;
    }
    while (read && d.in.c.at < d.in.c.end) read = read_line(&d, rows++);
    for (int i = 0; read && i < plan->outputs; i++)
        read = stored(&d.in, finish(plan, columns, plan->output[i], rows));
    free(d.hints);
    free(d.stamps);
    buffer_free(&d.in.scratch);
    if (read) return DECODED;
    return d.in.no_memory ? NO_MEMORY : DECLINED;
}

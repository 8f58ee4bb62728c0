/* Appending to Arrow's buffers. */
#include "column.h"

#include <string.h>

static size_t width_of(ColumnKind kind) {
    switch (kind) {
    case COLUMN_INT64: return 8;
    case COLUMN_DECIMAL128: return 16;
    case COLUMN_DECIMAL256: return 32;
    default: return 0;
    }
}

static bool has_offsets(ColumnKind kind) {
    return kind <= COLUMN_NUMBER_TEXT || kind == COLUMN_LIST || kind == COLUMN_MAP;
}

/* Bits are bytes of zeroes at first; `size` counts bytes. */
static bool reserve_bits(Buffer *bits, int64_t count) {
    size_t bytes = (size_t)(count + 7) / 8;
    if (bytes <= bits->size) return true;
    size_t room = bits->room;
    if (!buffer_reserve(bits, bytes - bits->size)) return false;
    if (bits->room > room) memset(bits->bytes + room, 0, bits->room - room);
    bits->size = bytes;
    return true;
}

static void set_bit(Buffer *bits, int64_t at) {
    bits->bytes[at >> 3] |= (uint8_t)(1 << (at & 7));
}

static bool begin_validity(Column *column) {
    int64_t rows = column->rows;
    if (!reserve_bits(&column->valid, rows + 1)) return false;
    memset(column->valid.bytes, 0xFF, (size_t)rows / 8);
    for (int64_t i = rows / 8 * 8; i < rows; i++) set_bit(&column->valid, i);
    return true;
}

static bool put_offset(Column *column, size_t end) {
    if (end > INT32_MAX) return false;
    int32_t offset = (int32_t)end;
    if (!buffer_reserve(&column->offsets, 2 * sizeof offset)) return false;
    if (!column->offsets.size) {
        memset(column->offsets.bytes, 0, sizeof offset);
        column->offsets.size = sizeof offset;
    }
    memcpy(column->offsets.bytes + column->offsets.size, &offset, sizeof offset);
    column->offsets.size += sizeof offset;
    return true;
}

static size_t end_of(const Column *column) {
    bool nested = column->plan->kind == COLUMN_LIST || column->plan->kind == COLUMN_MAP;
    return nested ? (size_t)column->inside : column->values.size;
}

static bool put_null(Column *column) {
    ColumnKind kind = column->plan->kind;
    size_t width = width_of(kind);
    if (has_offsets(kind)) return put_offset(column, end_of(column));
    if (kind == COLUMN_BOOLEAN) return reserve_bits(&column->values, column->rows + 1);
    if (!width) return true;
    if (!buffer_reserve(&column->values, width)) return false;
    memset(column->values.bytes + column->values.size, 0, width);
    column->values.size += width;
    return true;
}

bool column_pad(Column *column, int64_t row) {
    if (column->rows >= row) return true;
    if (!column->valid.size && !begin_validity(column)) return false;
    if (!reserve_bits(&column->valid, row + 1)) return false;
    column->nulls += row - column->rows;
    if (column->plan->kind == COLUMN_STRUCT) column->rows = row;
    while (column->rows < row) {
        if (!put_null(column)) return false;
        column->rows++;
    }
    return true;
}

bool column_begin(Column *column, int64_t row) {
    if (column->rows < row && !column_pad(column, row)) return false;
    if (column->valid.size) {
        if (!reserve_bits(&column->valid, row + 1)) return false;
        set_bit(&column->valid, row);
    }
    column->rows = row + 1;
    return true;
}

bool column_put_bytes(Column *column, const uint8_t *bytes, size_t size) {
    if (!buffer_reserve(&column->values, size)) return false;
    if (size) memcpy(column->values.bytes + column->values.size, bytes, size);
    return column_put_written(column, size);
}

bool column_put_written(Column *column, size_t size) {
    column->values.size += size;
    return put_offset(column, column->values.size);
}

bool column_put_fixed(Column *column, const void *value, size_t size) {
    if (!buffer_reserve(&column->values, size)) return false;
    memcpy(column->values.bytes + column->values.size, value, size);
    column->values.size += size;
    return true;
}

bool column_put_boolean(Column *column, bool value) {
    if (!reserve_bits(&column->values, column->rows)) return false;
    if (value) set_bit(&column->values, column->rows - 1);
    return true;
}

bool column_put_end(Column *column) { return put_offset(column, (size_t)column->inside); }

void column_free(Column *column) {
    buffer_free(&column->valid);
    buffer_free(&column->offsets);
    buffer_free(&column->values);
}

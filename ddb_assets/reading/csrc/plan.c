/* Tuples into a plan. Every index is checked here, so that decoding need not. */
#define PY_SSIZE_T_CLEAN
#include "plan.h"

#include <stdlib.h>

static void *allot(Plan *plan, size_t size) {
    void *taken = arena_take(&plan->arena, size ? size : 1);
    if (!taken) PyErr_NoMemory();
    return taken;
}

static bool invalid(const char *what) {
    PyErr_SetString(PyExc_ValueError, what);
    return false;
}

static bool read_ids(Plan *plan, PyObject *ids, int *count, int **found) {
    Py_ssize_t size = PyTuple_Size(ids);
    if (size < 0) return false;
    int *array = allot(plan, (size_t)size * sizeof *array);
    if (!array) return false;
    for (Py_ssize_t i = 0; i < size; i++) {
        long id = PyLong_AsLong(PyTuple_GetItem(ids, i));
        if (id == -1 && PyErr_Occurred()) return false;
        if (id < 0 || id >= plan->columns) return invalid("a column that is not there");
        array[i] = (int)id;
    }
    *count = (int)size;
    *found = array;
    return true;
}

static bool read_column(Plan *plan, PyObject *spec, int at) {
    ColumnPlan *column = &plan->column[at];
    int kind, count;
    int *child;
    PyObject *children;
    if (!PyArg_ParseTuple(
            spec, "iiiO!", &kind, &column->precision, &column->scale, &PyTuple_Type, &children))
        return false;
    if (kind < 0 || kind >= COLUMN_KINDS) return invalid("a kind of column that is not there");
    column->kind = (ColumnKind)kind;
    int most = kind == COLUMN_DECIMAL128 ? 38 : 76;
    if (column->precision < 0 || column->precision > most) return invalid("a precision");
    if (column->scale < -1000 || column->scale > 1000) return invalid("a scale");
    if (!read_ids(plan, children, &count, &child)) return false;
    if (kind == COLUMN_LIST && count != 1) return invalid("a list has one child");
    if (kind == COLUMN_MAP && count != 2) return invalid("a map has two children");
    /* A child's number is lower: no column holds itself. */
    for (int i = 0; i < count; i++)
        if (child[i] >= at) return invalid("a column's child comes after it");
    column->children = count;
    column->child = child;
    return true;
}

static bool read_place(Plan *plan, PyObject *spec, Place *place, int depth);

static bool read_name(Plan *plan, PyObject *text, Name *name) {
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    if (!utf8) return false;
    uint8_t *bytes = allot(plan, (size_t)size);
    if (!bytes) return false;
    memcpy(bytes, utf8, (size_t)size);
    name_set(name, bytes, (size_t)size);
    return true;
}

static bool make_table(Plan *plan, Fields *fields) {
    uint32_t room = 4;
    while (room < 2u * (uint32_t)fields->count) room *= 2;
    fields->table = allot(plan, room * sizeof *fields->table);
    if (!fields->table) return false;
    fields->mask = room - 1;
    for (int i = 0; i < fields->count; i++) {
        uint32_t at = (uint32_t)fields->names[i].hash & fields->mask;
        while (fields->table[at]) at = (at + 1) & fields->mask;
        fields->table[at] = (uint32_t)i + 1;
    }
    return true;
}

static bool read_fields(Plan *plan, PyObject *spec, Fields **found, int depth) {
    *found = NULL;
    if (spec == Py_None) return true;
    PyObject *names, *places;
    if (!PyArg_ParseTuple(spec, "O!O!", &PyTuple_Type, &names, &PyTuple_Type, &places)) return false;
    Py_ssize_t count = PyTuple_Size(names);
    if (count != PyTuple_Size(places) || count > 1000000) return invalid("not a place for each key");
    Fields *fields = allot(plan, sizeof *fields);
    if (!fields) return false;
    fields->count = (int)count;
    fields->names = allot(plan, (size_t)count * sizeof *fields->names);
    fields->places = allot(plan, (size_t)count * sizeof *fields->places);
    if (!fields->names || !fields->places) return false;
    for (int i = 0; i < (int)count; i++) {
        if (!read_name(plan, PyTuple_GetItem(names, i), &fields->names[i])) return false;
        if (!read_place(plan, PyTuple_GetItem(places, i), &fields->places[i], depth)) return false;
    }
    fields->first_hint = plan->hints;
    fields->first_stamp = plan->stamps;
    plan->hints += fields->count + 1;
    plan->stamps += fields->count;
    *found = fields;
    return make_table(plan, fields);
}

static bool read_inner(Plan *plan, PyObject *spec, Place **found, int depth) {
    *found = NULL;
    if (spec == Py_None) return true;
    *found = allot(plan, sizeof **found);
    return *found && read_place(plan, spec, *found, depth);
}

static bool is_column(const Plan *plan, int id, ColumnKind lowest, ColumnKind highest) {
    if (id == NO_COLUMN) return true;
    if (id < 0 || id >= plan->columns) return false;
    ColumnKind kind = plan->column[id].kind;
    return kind >= lowest && kind <= highest;
}

static bool is_child(const Plan *plan, int id, ColumnKind lowest, ColumnKind highest) {
    if (id == NO_COLUMN) return true;
    return is_column(plan, plan->column[id].child[0], lowest, highest);
}

static bool is_number(const Plan *plan, int id, bool child) {
    bool (*test)(const Plan *, int, ColumnKind, ColumnKind) = child ? is_child : is_column;
    return test(plan, id, COLUMN_NUMBER_TEXT, COLUMN_NUMBER_TEXT) ||
           test(plan, id, COLUMN_INT64, COLUMN_DECIMAL256);
}

/* That each value comes into a column of its kind. */
static bool check_place(const Plan *plan, const Place *place) {
    const int *of = place->column;
    bool fine = is_column(plan, place->text, COLUMN_TEXT, COLUMN_TEXT) &&
                is_column(plan, place->around, COLUMN_STRUCT, COLUMN_STRUCT) &&
                is_column(plan, place->null_flag, COLUMN_BOOLEAN, COLUMN_BOOLEAN) &&
                of[TYPE_NULL] == NO_COLUMN && is_column(plan, of[TYPE_S], COLUMN_TEXT, COLUMN_TEXT) &&
                is_column(plan, of[TYPE_B], COLUMN_BINARY, COLUMN_BINARY) &&
                is_column(plan, of[TYPE_BOOL], COLUMN_BOOLEAN, COLUMN_BOOLEAN) &&
                is_number(plan, of[TYPE_N], false);
    for (int type = TYPE_SS; type <= TYPE_L; type++)
        fine = fine && is_column(plan, of[type], COLUMN_LIST, COLUMN_LIST);
    fine = fine && is_child(plan, of[TYPE_SS], COLUMN_TEXT, COLUMN_TEXT) &&
           is_child(plan, of[TYPE_BS], COLUMN_BINARY, COLUMN_BINARY) &&
           is_number(plan, of[TYPE_NS], true) && is_column(plan, of[TYPE_M], COLUMN_MAP, COLUMN_STRUCT);
    if (!fine) return invalid("a place has a column of another kind");
    if (of[TYPE_L] != NO_COLUMN && !place->element) return invalid("a list has no element");
    if (of[TYPE_M] == NO_COLUMN) return true;
    if (!place->fields && !place->values) return invalid("a map has neither fields nor values");
    bool open = plan->column[of[TYPE_M]].kind == COLUMN_MAP;
    int key = open ? plan->column[of[TYPE_M]].child[0] : NO_COLUMN;
    if (!is_column(plan, key, COLUMN_TEXT, COLUMN_TEXT)) return invalid("a key is no text");
    if (!open && !place->fields) return invalid("a struct has no fields");
    if (open && !place->values && place->fields->count) return invalid("a map has fields");
    return true;
}

static bool read_place(Plan *plan, PyObject *spec, Place *place, int depth) {
    PyObject *types, *fields, *values, *element;
    int accepts;
    if (depth >= MAX_PLAN_DEPTH) return invalid("the plan is too deep");
    if (!PyArg_ParseTuple(spec, "iiipO!OOO", &place->text, &place->around, &place->null_flag, &accepts,
            &PyTuple_Type, &types, &fields, &values, &element))
        return false;
    place->accepts_null = accepts;
    if (PyTuple_Size(types) != TYPES) return invalid("not a column for each type");
    for (int type = 0; type < TYPES; type++) {
        long id = PyLong_AsLong(PyTuple_GetItem(types, type));
        if (id == -1 && PyErr_Occurred()) return false;
        if (id < NO_COLUMN || id >= plan->columns) return invalid("a column that is not there");
        place->column[type] = (int)id;
    }
    return read_fields(plan, fields, &place->fields, depth + 1) &&
           read_inner(plan, values, &place->values, depth + 1) &&
           read_inner(plan, element, &place->element, depth + 1) && check_place(plan, place);
}

static bool read_plan(Plan *plan, PyObject *spec) {
    PyObject *columns, *item, *outputs;
    int strict;
    if (!PyArg_ParseTuple(spec, "O!pO!O!", &PyTuple_Type, &columns, &strict, &PyTuple_Type, &item,
            &PyTuple_Type, &outputs))
        return false;
    plan->strict = strict;
    Py_ssize_t count = PyTuple_Size(columns);
    if (count > 10000000) return invalid("too many columns");
    plan->columns = (int)count;
    plan->column = allot(plan, (size_t)count * sizeof *plan->column);
    if (!plan->column) return false;
    for (int i = 0; i < (int)count; i++)
        if (!read_column(plan, PyTuple_GetItem(columns, i), i)) return false;
    if (!read_place(plan, item, &plan->item, 0)) return false;
    if (plan->item.text == NO_COLUMN && plan->item.column[TYPE_M] == NO_COLUMN)
        return invalid("the item is neither a map nor text");
    return read_ids(plan, outputs, &plan->outputs, &plan->output);
}

Plan *plan_compile(PyObject *spec) {
    Plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        PyErr_NoMemory();
        return NULL;
    }
    if (read_plan(plan, spec)) return plan;
    plan_free(plan);
    return NULL;
}

void plan_free(Plan *plan) {
    arena_free(&plan->arena);
    free(plan);
}

int fields_find(const Fields *fields, const uint8_t *name, size_t size) {
    uint64_t hash = hash_name(name, size);
    uint32_t at = (uint32_t)hash & fields->mask;
    for (; fields->table[at]; at = (at + 1) & fields->mask) {
        int found = (int)fields->table[at] - 1;
        if (same_name(&fields->names[found], hash, name, size)) return found;
    }
    return -1;
}

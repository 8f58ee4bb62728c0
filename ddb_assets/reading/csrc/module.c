/* The doors from Python: ddb_assets.reading.native and .native_profile, and nobody else. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "arrow.h"
#include "decode.h"
#include "profile.h"

#define PLAN "ddb_assets.reading.plan"
#define PROFILE "ddb_assets.reading.profile"
/* The name is the Arrow PyCapsule interface's. */
#define ARROW_ARRAY "arrow_array"

static void free_plan(PyObject *capsule) {
    plan_free(PyCapsule_GetPointer(capsule, PLAN));
}

static PyObject *native_plan(PyObject *module, PyObject *spec) {
    (void)module;
    Plan *plan = plan_compile(spec);
    if (!plan) return NULL;
    PyObject *capsule = PyCapsule_New(plan, PLAN, free_plan);
    if (!capsule) plan_free(plan);
    return capsule;
}

static void free_array(PyObject *capsule) {
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, ARROW_ARRAY);
    /* Whoever imported the array has set its release to NULL. */
    if (array->release) array->release(array);
    free(array);
}

static PyObject *exported(Column *columns, int id) {
    struct ArrowArray *array = calloc(1, sizeof *array);
    if (!array || !arrow_export(columns, id, array)) {
        free(array);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(array, ARROW_ARRAY, free_array);
    if (!capsule) {
        array->release(array);
        free(array);
    }
    return capsule;
}

static PyObject *all_exported(const Plan *plan, Column *columns) {
    PyObject *list = PyList_New(plan->outputs);
    for (int i = 0; list && i < plan->outputs; i++) {
        PyObject *capsule = exported(columns, plan->output[i]);
        if (!capsule) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SetItem(list, i, capsule);
    }
    return list;
}

static PyObject *native_decode(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule, *result = NULL;
    Py_buffer lines;
    if (!PyArg_ParseTuple(arguments, "Oy*", &capsule, &lines)) return NULL;
    const Plan *plan = PyCapsule_GetPointer(capsule, PLAN);
    Column *columns = plan ? calloc((size_t)plan->columns + 1, sizeof *columns) : NULL;
    if (columns) {
        Outcome outcome;
        Py_BEGIN_ALLOW_THREADS
        outcome = decode_lines(plan, lines.buf, (size_t)lines.len, columns);
        Py_END_ALLOW_THREADS
        if (outcome == DECODED) {
            result = all_exported(plan, columns);
        } else if (outcome == DECLINED) {
            result = Py_NewRef(Py_None);
        } else {
            PyErr_NoMemory();
        }
        for (int i = 0; i < plan->columns; i++) column_free(&columns[i]);
        free(columns);
    } else if (plan) {
        PyErr_NoMemory();
    }
    PyBuffer_Release(&lines);
    return result;
}

/* A profile and whether a thread is at it: two at once would be one too many. */
typedef struct {
    Profile profile;
    atomic_flag busy;
} Shared;

static void free_profile(PyObject *capsule) {
    Shared *shared = PyCapsule_GetPointer(capsule, PROFILE);
    profile_free(&shared->profile);
    free(shared);
}

static PyObject *native_profile(PyObject *module, PyObject *arguments) {
    (void)module;
    unsigned int item_keys, map_keys;
    if (!PyArg_ParseTuple(arguments, "II", &item_keys, &map_keys)) return NULL;
    Shared *shared = calloc(1, sizeof *shared);
    if (!shared) return PyErr_NoMemory();
    profile_init(&shared->profile, item_keys, map_keys);
    atomic_flag_clear(&shared->busy);
    PyObject *capsule = PyCapsule_New(shared, PROFILE, free_profile);
    if (!capsule) free(shared);
    return capsule;
}

static bool begin_use(Shared *shared) {
    if (!atomic_flag_test_and_set(&shared->busy)) return true;
    PyErr_SetString(PyExc_RuntimeError, "another thread is at this profile");
    return false;
}

static PyObject *native_observe(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *capsule, *result = NULL;
    Py_buffer lines;
    if (!PyArg_ParseTuple(arguments, "Oy*", &capsule, &lines)) return NULL;
    Shared *shared = PyCapsule_GetPointer(capsule, PROFILE);
    if (shared && begin_use(shared)) {
        size_t odd = 0;
        Observed observed;
        Py_BEGIN_ALLOW_THREADS
        observed = profile_observe(&shared->profile, lines.buf, (size_t)lines.len, &odd);
        Py_END_ALLOW_THREADS
        atomic_flag_clear(&shared->busy);
        if (observed == OBSERVED) {
            result = Py_NewRef(Py_None);
        } else if (observed == ODD_LINE) {
            result = PyLong_FromSize_t(odd);
        } else {
            PyErr_NoMemory();
        }
    }
    PyBuffer_Release(&lines);
    return result;
}

/* Puts the value, whose reference it takes, under the key. */
static bool put(PyObject *dict, const char *key, PyObject *value) {
    bool done = value && PyDict_SetItemString(dict, key, value) == 0;
    Py_XDECREF(value);
    return done;
}

static PyObject *numbers_dict(const NumberStats *stats) {
    return Py_BuildValue("{s:i,s:i,s:i,s:O,s:O}", "whole", stats->whole, "fraction", stats->fraction,
        "significant", stats->significant, "beyond_bigint", stats->beyond_bigint ? Py_True : Py_False,
        "plain", stats->plain ? Py_True : Py_False);
}

static PyObject *counts_dict(const Node *node) {
    static const char *const names[TYPES] = {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"};
    PyObject *dict = PyDict_New();
    for (int type = 0; dict && type < TYPES; type++) {
        if (!node->counts[type]) continue;
        if (put(dict, names[type], PyLong_FromLongLong(node->counts[type]))) continue;
        Py_DECREF(dict);
        return NULL;
    }
    return dict;
}

static PyObject *node_dict(const Node *node);

static PyObject *fields_dict(const Node *node) {
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < node->count; i++) {
        const Name *name = &node->children[i]->name;
        PyObject *key = PyUnicode_DecodeUTF8((const char *)name->bytes, (Py_ssize_t)name->size, NULL);
        PyObject *value = key ? node_dict(node->children[i]) : NULL;
        bool done = value && PyDict_SetItem(dict, key, value) == 0;
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (done) continue;
        Py_DECREF(dict);
        return NULL;
    }
    return dict;
}

/* As schema.profile_node.Node.from_dict reads it. */
static PyObject *node_dict(const Node *node) {
    PyObject *dict = PyDict_New();
    if (!dict) return NULL;
    const int64_t *counts = node->counts;
    bool done = put(dict, "types", counts_dict(node));
    if (done && counts[TYPE_N]) done = put(dict, "numbers", numbers_dict(&node->numbers));
    if (done && counts[TYPE_NS]) done = put(dict, "set_numbers", numbers_dict(&node->set_numbers));
    if (done && counts[TYPE_M] && !node->values) done = put(dict, "fields", fields_dict(node));
    if (done && node->values) done = put(dict, "values", node_dict(node->values));
    if (done && node->element) done = put(dict, "element", node_dict(node->element));
    if (done) return dict;
    Py_DECREF(dict);
    return NULL;
}

static PyObject *native_result(PyObject *module, PyObject *capsule) {
    (void)module;
    Shared *shared = PyCapsule_GetPointer(capsule, PROFILE);
    if (!shared || !begin_use(shared)) return NULL;
    PyObject *result = node_dict(&shared->profile.item);
    atomic_flag_clear(&shared->busy);
    return result;
}

/* So much is copied and then looked at while it is still near. */
#define NEAR (1 << 15)

/* Copies and counts line feeds. */
static size_t copy_lines(uint8_t *to, const uint8_t *from, size_t size) {
    size_t count = 0;
    while (size) {
        size_t some = size < NEAR ? size : NEAR;
        memcpy(to, from, some);
        for (size_t i = 0; i < some; i++) count += to[i] == '\n';
        to += some;
        from += some;
        size -= some;
    }
    return count;
}

static PyObject *gathered(const Py_buffer *pieces, Py_ssize_t number) {
    size_t size = 0, count = 0;
    for (Py_ssize_t i = 0; i < number; i++) size += (size_t)pieces[i].len;
    PyObject *lines = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!lines) return NULL;
    uint8_t *to = (uint8_t *)PyBytes_AsString(lines);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < number; i++) {
        count += copy_lines(to, pieces[i].buf, (size_t)pieces[i].len);
        to += pieces[i].len;
    }
    Py_END_ALLOW_THREADS
    return Py_BuildValue("(Nn)", lines, (Py_ssize_t)count);
}

static PyObject *native_gather(PyObject *module, PyObject *tuple) {
    (void)module;
    Py_ssize_t number = PyTuple_Size(tuple), held = 0;
    if (number < 0) return NULL;
    Py_buffer *pieces = calloc((size_t)number + 1, sizeof *pieces);
    if (!pieces) return PyErr_NoMemory();
    while (held < number) {
        if (PyObject_GetBuffer(PyTuple_GetItem(tuple, held), &pieces[held], PyBUF_SIMPLE)) break;
        held++;
    }
    PyObject *result = held == number ? gathered(pieces, number) : NULL;
    while (held) PyBuffer_Release(&pieces[--held]);
    free(pieces);
    return result;
}

static PyObject *native_bytes_held(PyObject *module, PyObject *none) {
    (void)module;
    (void)none;
    return PyLong_FromLongLong(buffer_bytes_held());
}

static PyMethodDef methods[] = {
    {"plan", native_plan, METH_O,
        "plan((columns, strict, item, outputs))\n\nCompile a plan; ValueError if it does not hang "
        "together or is too deep."},
    {"decode", native_decode, METH_VARARGS,
        "decode(plan, lines)\n\nThe outputs as Arrow C data arrays; None if the lines are not as "
        "planned."},
    {"profile", native_profile, METH_VARARGS,
        "profile(item_keys, map_keys)\n\nAn empty profile with these limits, for one thread at a "
        "time."},
    {"observe", native_observe, METH_VARARGS,
        "observe(profile, lines)\n\nTake in all lines and return None; or none of them, and return "
        "where the first begins that is not understood."},
    {"result", native_result, METH_O,
        "result(profile)\n\nThe tree as schema.profile_node.Node.from_dict reads it."},
    {"gather", native_gather, METH_O,
        "gather(pieces)\n\nThe pieces of a tuple as one, and how many line feeds are in it."},
    {"bytes_held", native_bytes_held, METH_NOARGS,
        "bytes_held()\n\nBytes of buffers that nobody has let go of yet."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "Reads the lines of exports; used through ddb_assets.reading.native.",
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }

/* One pass over the lines into a tree of their own, which is then added to the others'. */
#include "profile.h"

#include <stdlib.h>

typedef struct {
    Reader in;
    Profile *profile;
    /* Numbers the maps, so that a key that comes twice in one is seen. */
    int64_t maps;
} Observer;

static bool observe_descriptor(Observer *o, Node *node, int depth);
static bool absorb(Profile *profile, Node *node, const Node *other);

void profile_init(Profile *profile, uint32_t item_keys, uint32_t map_keys) {
    *profile = (Profile){.item_keys = item_keys, .map_keys = map_keys};
    profile->item.numbers = profile->item.set_numbers = NO_NUMBERS;
}

void profile_free(Profile *profile) { arena_free(&profile->arena); }

static Node *make_node(Profile *profile) {
    Node *node = arena_take(&profile->arena, sizeof *node);
    if (node) node->numbers = node->set_numbers = NO_NUMBERS;
    return node;
}

/* A table twice as large as needed. The old one stays in the arena: all of them together are no
 * larger than the last. */
static bool grow(Profile *profile, Node *node) {
    uint32_t room = node->room ? node->room * 2 : 8;
    Node **children = arena_take(&profile->arena, room * sizeof *children);
    uint32_t *table = arena_take(&profile->arena, 2 * room * sizeof *table);
    if (!children || !table) return false;
    if (node->count) memcpy(children, node->children, node->count * sizeof *children);
    node->children = children;
    node->table = table;
    node->room = room;
    node->mask = 2 * room - 1;
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t at = (uint32_t)children[i]->name.hash & node->mask;
        while (table[at]) at = (at + 1) & node->mask;
        table[at] = i + 1;
    }
    return true;
}

/* 1 + the position of the child with this name, which is made if there is none; 0 without memory. */
static uint32_t child_of(Profile *profile, Node *node, const uint8_t *name, size_t size) {
    uint64_t hash = hash_name(name, size);
    if (node->count) {
        uint32_t at = (uint32_t)hash & node->mask;
        for (; node->table[at]; at = (at + 1) & node->mask)
            if (same_name(&node->children[node->table[at] - 1]->name, hash, name, size))
                return node->table[at];
    }
    if (node->count == node->room && !grow(profile, node)) return 0;
    uint8_t *bytes = arena_take(&profile->arena, size ? size : 1);
    Node *child = make_node(profile);
    if (!bytes || !child) return 0;
    memcpy(bytes, name, size);
    name_set(&child->name, bytes, size);
    node->children[node->count++] = child;
    uint32_t at = (uint32_t)hash & node->mask;
    while (node->table[at]) at = (at + 1) & node->mask;
    return node->table[at] = node->count;
}

/* Gives up the keys: the values of all of them become one node. */
static bool open_keys(Profile *profile, Node *node) {
    if (node->values) return true;
    Node *values = make_node(profile);
    if (!values) return false;
    for (uint32_t i = 0; i < node->count; i++)
        if (!absorb(profile, values, node->children[i])) return false;
    node->values = values;
    node->count = node->room = 0;
    node->children = NULL;
    node->table = NULL;
    return true;
}

static bool keep_bounded(Profile *profile, Node *node) {
    uint32_t limit = node == &profile->item ? profile->item_keys : profile->map_keys;
    return node->count <= limit || open_keys(profile, node);
}

static bool absorb_children(Profile *profile, Node *node, const Node *other) {
    for (uint32_t i = 0; i < other->count; i++) {
        const Node *from = other->children[i];
        Node *to = node->values;
        if (!to) {
            uint32_t found = child_of(profile, node, from->name.bytes, from->name.size);
            if (!found) return false;
            to = node->children[found - 1];
        }
        if (!absorb(profile, to, from)) return false;
    }
    return node->values || keep_bounded(profile, node);
}

static bool absorb(Profile *profile, Node *node, const Node *other) {
    for (int type = 0; type < TYPES; type++) node->counts[type] += other->counts[type];
    absorb_numbers(&node->numbers, &other->numbers);
    absorb_numbers(&node->set_numbers, &other->set_numbers);
    if (other->element) {
        if (!node->element && !(node->element = make_node(profile))) return false;
        if (!absorb(profile, node->element, other->element)) return false;
    }
    if (other->values)
        return open_keys(profile, node) && absorb(profile, node->values, other->values);
    return absorb_children(profile, node, other);
}

static bool observe_digits(Observer *o, NumberStats *stats) {
    Text text;
    return read_text(&o->in, &text) && observe_number(stats, text.start, text.size);
}

/* A set of text, binary (stats NULL) or numbers. */
static bool observe_set(Observer *o, NumberStats *stats) {
    Text text;
    if (!take(&o->in.c, '[')) return false;
    if (take(&o->in.c, ']')) return true;
    do {
        bool read = stats ? observe_digits(o, stats) : take(&o->in.c, '"') && scan_string(&o->in.c, &text);
        if (!read) return false;
    } while (take(&o->in.c, ','));
    return take(&o->in.c, ']');
}

static bool observe_list(Observer *o, Node *node, int depth) {
    if (!take(&o->in.c, '[')) return false;
    if (take(&o->in.c, ']')) return true;
    if (!node->element && !stored(&o->in, (node->element = make_node(o->profile)) != NULL)) return false;
    do {
        if (!observe_descriptor(o, node->element, depth)) return false;
    } while (take(&o->in.c, ','));
    return take(&o->in.c, ']');
}

/* Which child the cursor is at. Keys mostly come in the order of the map before. */
static bool read_key(Observer *o, Node *node, uint32_t *next, Node **child) {
    if (!take(&o->in.c, '"')) return false;
    if (*next && take_name(&o->in.c, &node->children[*next - 1]->name)) {
        *child = node->children[*next - 1];
        return true;
    }
    Text key;
    o->in.c.at--;
    if (!read_text(&o->in, &key)) return false;
    uint32_t found = child_of(o->profile, node, key.start, key.size);
    if (!stored(&o->in, found != 0)) return false;
    *next = found;
    *child = node->children[found - 1];
    return true;
}

static bool observe_fixed(Observer *o, Node *node, int depth) {
    int64_t map = ++o->maps;
    uint32_t *next = &node->first;
    do {
        Node *child;
        if (!read_key(o, node, next, &child) || !take(&o->in.c, ':')) return false;
        if (child->map == map) return false;
        child->map = map;
        next = &child->next;
        if (!observe_descriptor(o, child, depth)) return false;
    } while (take(&o->in.c, ','));
    return true;
}

static bool observe_open(Observer *o, Node *node, int depth, Seen *seen) {
    do {
        Text key;
        if (!read_text(&o->in, &key) || !seen_add(seen, hash_name(key.start, key.size))) return false;
        if (!take(&o->in.c, ':') || !observe_descriptor(o, node->values, depth)) return false;
    } while (take(&o->in.c, ','));
    return true;
}

static bool observe_map(Observer *o, Node *node, int depth) {
    node->counts[TYPE_M]++;
    if (!take(&o->in.c, '{')) return false;
    if (take(&o->in.c, '}')) return true;
    if (node->values) {
        Seen seen = {0};
        bool read = observe_open(o, node, depth, &seen);
        seen_free(&seen);
        return read && take(&o->in.c, '}');
    }
    if (!observe_fixed(o, node, depth) || !take(&o->in.c, '}')) return false;
    return stored(&o->in, keep_bounded(o->profile, node));
}

static bool observe_value(Observer *o, Node *node, Type type, int depth) {
    Text text;
    bool value;
    switch (type) {
    case TYPE_S:
    case TYPE_B: return take(&o->in.c, '"') && scan_string(&o->in.c, &text);
    case TYPE_N: return observe_digits(o, &node->numbers);
    case TYPE_BOOL:
    case TYPE_NULL: return scan_boolean(&o->in.c, &value);
    case TYPE_SS:
    case TYPE_BS: return observe_set(o, NULL);
    case TYPE_NS: return observe_set(o, &node->set_numbers);
    case TYPE_L: return observe_list(o, node, depth + 1);
    case TYPE_M: return observe_map(o, node, depth + 1);
    default: return false;
    }
}

static bool observe_descriptor(Observer *o, Node *node, int depth) {
    Type type = TYPE_S;
    if (depth >= MAX_JSON_DEPTH / 2 || !read_type(&o->in.c, &type)) return false;
    if (type != TYPE_M) node->counts[type]++;
    /* A second type in it is declined here. */
    return observe_value(o, node, type, depth) && take(&o->in.c, '}');
}

static bool observe_line(Observer *o) {
    return begin_line(&o->in.c) && observe_map(o, &o->profile->item, 0) && end_line(&o->in.c);
}

Observed profile_observe(Profile *profile, const uint8_t *lines, size_t size, size_t *odd) {
    Profile found;
    profile_init(&found, profile->item_keys, profile->map_keys);
    Observer o = {.in.c = {lines, lines + size}, .profile = &found};
    bool read = true;
    while (read && o.in.c.at < o.in.c.end) {
        *odd = (size_t)(o.in.c.at - lines);
        read = observe_line(&o);
    }
    if (read) read = stored(&o.in, absorb(profile, &profile->item, &found.item));
    profile_free(&found);
    buffer_free(&o.in.scratch);
    if (read) return OBSERVED;
    return o.in.no_memory ? NO_ROOM : ODD_LINE;
}

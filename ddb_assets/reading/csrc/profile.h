/* What all items have in common, as schema.profile counts it: equal, number for number. */
#ifndef DDB_ASSETS_PROFILE_H
#define DDB_ASSETS_PROFILE_H

#include "item.h"
#include "names.h"
#include "number.h"

typedef struct Node Node;

/* One place in the tree; see schema.profile_node.Node. */
struct Node {
    int64_t counts[TYPES];
    NumberStats numbers;
    NumberStats set_numbers;
    Node *element;
    /* Of a map whose keys are open: one node for all their values; then there are no children. */
    Node *values;
    /* Of a map with fixed keys: its children in the order in which they were met … */
    Node **children;
    uint32_t count;
    uint32_t room;
    /* … and by their names: open addressing, 1 + position, or 0. */
    uint32_t *table;
    uint32_t mask;
    /* As a child: its key, 1 + the sibling that came after it last time, the last map it was in. */
    Name name;
    uint32_t next;
    int64_t map;
    /* As a parent: 1 + the child that came first last time. */
    uint32_t first;
};

typedef struct {
    Arena arena;
    Node item;
    uint32_t item_keys;
    uint32_t map_keys;
} Profile;

/* Keys beyond which those of the item, or of a map, count as open. */
void profile_init(Profile *profile, uint32_t item_keys, uint32_t map_keys);
void profile_free(Profile *profile);

typedef enum { OBSERVED, ODD_LINE, NO_ROOM } Observed;

/* Takes in all of the lines, or none of them: then *odd is where the first line begins that is not
 * an item as an export writes it, which the Python code is to judge. */
Observed profile_observe(Profile *profile, const uint8_t *lines, size_t size, size_t *odd);

#endif

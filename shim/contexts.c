/*
 * Contexts. Two tables of the same kind: `leaves` maps the hash of a whole stack to its context and
 * is hot; `nodes` maps the hash of any path from the root to its node and is touched by new stacks
 * only.
 *
 * Order of publication: a node's record (key last) before its number is filed in `nodes`, a
 * context's record before its number is filed in `leaves`, that before any counter of the context.
 * A parent is filed, hence numbered, before its child takes a number: parent < child.
 */
#include "shim/contexts.h"
#include "region/hash.h"
#include "region/key.h"
#include "shim/region.h"
#include "shim/table.h"

#define SLOTS_FIRST 16384u /* of which a small program touches few pages */

static struct table leaves, nodes;

/* Takes the next number of a cursor in the header; 0 when the limit is reached. */
static uint32_t take_number(uint32_t *cursor, uint32_t limit)
{
    uint32_t next = ts_load_relaxed(cursor);
    do {
        if (next >= limit)
            return 0;
    } while (!ts_cas_acq_rel(cursor, &next, next + 1));
    return next;
}

/* A new node below parent; 0 when there is no room. */
static uint32_t add_node(uint32_t parent, uint64_t key, uint64_t hash)
{
    uint32_t number = take_number(&region_header->node_count, TS_NODES_LIMIT);
    struct ts_node *node = number == 0 ? NULL : region_node(number);
    if (node == NULL)
        return 0;
    node->parent = parent;
    ts_store_release(&node->key, key);
    return table_insert(&nodes, hash, number);
}

static uint32_t add_context(uint32_t node, uint64_t hash)
{
    uint32_t number = take_number(&region_header->context_count, TS_CONTEXTS_LIMIT);
    struct ts_context *context = number == 0 ? NULL : region_context(number);
    if (context == NULL)
        return 0;
    ts_store_release(&context->node, node);
    return table_insert(&leaves, hash, number);
}

/* The stack is new: finds the longest path that is known, then adds a node for each frame further
 * in. */
static __attribute__((noinline)) uint32_t insert(const struct walk_path *path, uint32_t count)
{
    uint32_t node = 0, from = count; /* the root; path[from .. count) have no node yet */
    if (!table_has_room(&nodes) || !table_has_room(&leaves)) {
        region_drop(TS_DROP_CONTEXTS_FULL);
        return CONTEXT_CATCH_ALL;
    }
    for (; from > 0; from--) {
        node = table_find(&nodes, ts_hash_final(path[from - 1].prefix));
        if (node != 0)
            break;
    }
    for (; from < count; from++) {
        node = add_node(node, path[from].key, ts_hash_final(path[from].prefix));
        if (node == 0)
            break;
    }
    uint32_t context = node == 0 ? 0 : add_context(node, ts_hash_final(path[count - 1].prefix));
    if (context == 0) {
        region_drop(TS_DROP_CONTEXTS_FULL);
        return CONTEXT_CATCH_ALL;
    }
    return context;
}

uint32_t contexts_of(const struct walk_frames *frames)
{
    uint32_t context = table_find(&leaves, ts_hash_final(frames->path[frames->count - 1].prefix));
    return __builtin_expect(context != 0, 1) ? context : insert(frames->path, frames->count);
}

bool contexts_start(void)
{
    if (!table_start(&leaves, SLOTS_FIRST) || !table_start(&nodes, SLOTS_FIRST))
        return false;
    region_header->node_count = 1;    /* 0 is the root */
    region_header->context_count = 1; /* 0 is none */
    uint64_t key = ts_key(TS_FRAME_MARK, 0, TS_MARK_CATCH_ALL);
    uint64_t hash = ts_hash_final(ts_hash_step(TS_HASH_ROOT, key));
    uint32_t node = add_node(0, key, hash);
    return node != 0 && add_context(node, hash) == CONTEXT_CATCH_ALL;
}

void contexts_forked(void)
{
    table_forked(&leaves);
    table_forked(&nodes);
}

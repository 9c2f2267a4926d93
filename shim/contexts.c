/*
 * Contexts. `leaves` maps the hash of a whole stack to its context and is hot; the tree of nodes
 * (nodes.h) is touched by new stacks only.
 *
 * Order of publication: a node's record (key last) before its number is filed, a context's record
 * before its number is filed in `leaves`, that before any counter of the context. A parent is
 * filed, hence numbered, before its child takes a number: parent < child.
 */
#include "shim/contexts.h"
#include "region/hash.h"
#include "region/key.h"
#include "shim/nodes.h"
#include "shim/region.h"
#include "shim/table.h"

#define SLOTS_FIRST 14 /* as a power of 2; of which a small program touches few pages */

#define HOT 4 /* eighths of a table that may be in use */
#define SMALL 6

static struct table leaves;

static uint32_t add_context(uint32_t node, enum ts_domain domain, uint64_t hash)
{
    uint32_t number = table_take_number(&region_header->context_count, TS_CONTEXTS_LIMIT);
    struct ts_context *context = number == 0 ? NULL : region_context(number);
    if (context == NULL)
        return 0;
    context->domain = domain;
    ts_store_release(&context->node, node);
    return table_insert(&leaves, hash, number);
}

/* What `leaves` files a stack under. Multiples of an odd constant tell the domains apart. */
static inline uint64_t leaf_hash(struct contexts_path stack)
{
    return ts_hash_final(stack.path[stack.count - 1].prefix +
                         (uint64_t)stack.domain * UINT64_C(0xd6e8feb86659fd93));
}

/*
 * The node of a stack's innermost frame; 0 when there is no room. The outermost frames were asked
 * for before: a path that is kept from stack to stack keeps their numbers. What has no node has no
 * children.
 */
static uint32_t node_of(struct walk_path *path, uint32_t count)
{
    uint32_t at = count, node = 0;
    bool known = true;
    while (at > 0 && path[at - 1].node == 0)
        at--;
    if (at > 0)
        node = path[at - 1].node;
    for (; at < count; at++) {
        uint32_t child = known ? nodes_find(node, path[at].key) : 0;
        known = child != 0;
        if (child == 0 && (child = nodes_add(node, path[at].key)) == 0)
            return 0;
        path[at].node = node = child;
    }
    return node;
}

static __attribute__((noinline)) uint32_t insert(struct contexts_path stack)
{
    bool room = nodes_have_room() && table_has_room(&leaves);
    uint32_t node = room ? node_of(stack.path, stack.count) : 0;
    uint32_t context = node == 0 ? 0 : add_context(node, stack.domain, leaf_hash(stack));
    if (context == 0) {
        region_drop(TS_DROP_CONTEXTS_FULL);
        return CONTEXT_CATCH_ALL;
    }
    return context;
}

void contexts_prefetch(struct contexts_path stack)
{
    table_prefetch(&leaves, leaf_hash(stack));
}

uint32_t contexts_of(struct contexts_path stack)
{
    uint32_t context = table_find(&leaves, leaf_hash(stack));
    return __builtin_expect(context != 0, 1) ? context : insert(stack);
}

bool contexts_same(uint32_t a, uint32_t b)
{
    if (a == b)
        return true;
    if (region_context(a)->domain != region_context(b)->domain)
        return false;
    a = region_context(a)->node;
    b = region_context(b)->node;
    while (a != b && a != 0 && b != 0 && region_node(a)->key == region_node(b)->key) {
        a = region_node(a)->parent;
        b = region_node(b)->parent;
    }
    return a == b;
}

bool contexts_start(void)
{
    if (!table_start(&leaves, SLOTS_FIRST, HOT) || !nodes_start())
        return false;
    region_header->node_count = 1;    /* 0 is the root */
    region_header->context_count = 1; /* 0 is none */
    uint64_t key = ts_key(TS_FRAME_MARK, 0, TS_MARK_CATCH_ALL);
    uint64_t hash = ts_hash_final(ts_hash_step(TS_HASH_ROOT, key));
    uint32_t node = nodes_add(0, key);
    return node != 0 && add_context(node, TS_DOMAIN_LIBC, hash) == CONTEXT_CATCH_ALL;
}

void contexts_look_rarely(void)
{
    leaves.eighths = SMALL;
}

void contexts_forked(void)
{
    table_forked(&leaves);
    nodes_forked();
}

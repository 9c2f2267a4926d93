/*
 * From a region's arrays to the contexts of a capture: what has counts, and the stacks that it
 * needs.
 *
 * What cannot be trusted costs its name, never its bytes: counts of a context that was not
 * published (its writer was killed) or whose stack is damaged are charged to the catch-all context.
 * A context that seems to have freed more than it allocated keeps what it allocated and counts as
 * all freed.
 */
#include "tools/source/reader.h"

#include <stdlib.h>
#include <string.h>

#define CATCH_ALL 1u /* context number */

struct tree {
    const struct ts_node *nodes;
    uint32_t count;
    uint16_t *depth; /* 0 = not to be used; the root has none either */
    uint32_t *kept;  /* number in the capture, 0 = not kept */
};

bool values_add_checked(struct capture_values *totals, const struct capture_values *values)
{
    const uint64_t limit = INT64_MAX;
    if (values->allocated_count > limit - totals->allocated_count ||
        values->allocated_size > limit - totals->allocated_size ||
        values->peak_count > limit - totals->peak_count ||
        values->peak_size > limit - totals->peak_size ||
        values->temporary_count > limit - totals->temporary_count)
        return false;
    totals->allocated_count += values->allocated_count;
    totals->allocated_size += values->allocated_size;
    totals->freed_count += values->freed_count;
    totals->freed_size += values->freed_size;
    totals->peak_count += values->peak_count;
    totals->peak_size += values->peak_size;
    totals->temporary_count += values->temporary_count;
    return true;
}

static void clamp(struct capture_values *values)
{
    if (values->freed_count >= values->allocated_count) {
        values->freed_count = values->allocated_count;
        values->freed_size = values->allocated_size;
    }
    if (values->freed_size > values->allocated_size)
        values->freed_size = values->allocated_size;
    if (values->temporary_count > values->freed_count)
        values->temporary_count = values->freed_count;
    if ((int64_t)values->peak_count <= 0 || (int64_t)values->peak_size < 0)
        values->peak_count = values->peak_size = 0;
}

static bool has_counts(const struct capture_values *values)
{
    return (values->allocated_count | values->allocated_size | values->freed_count |
            values->freed_size | values->peak_count | values->peak_size |
            values->temporary_count) != 0;
}

static bool is_key(uint64_t key)
{
    unsigned kind = ts_key_kind(key);
    return kind == TS_FRAME_NATIVE || kind == TS_FRAME_UNKNOWN || kind == TS_FRAME_PYTHON ||
           (kind == TS_FRAME_MARK && ts_key_offset(key) > TS_MARK_NONE &&
            ts_key_offset(key) < TS_MARK_END);
}

/* A parent is smaller than its node, so one pass upwards knows all depths. */
static void measure(struct tree *tree)
{
    for (uint32_t i = 1; i < tree->count; i++) {
        const struct ts_node *node = &tree->nodes[i];
        if (node->key == 0 || !is_key(node->key) || node->parent >= i)
            continue;
        uint32_t above = tree->depth[node->parent];
        if ((node->parent == 0 || above != 0) && above < STACK_DEPTH_MAX)
            tree->depth[i] = (uint16_t)(above + 1);
    }
}

static bool is_usable(const struct tree *tree, uint32_t node)
{
    return node > 0 && node < tree->count && tree->depth[node] != 0;
}

static void keep(struct tree *tree, uint32_t node)
{
    for (; node != 0 && tree->kept[node] == 0; node = tree->nodes[node].parent)
        tree->kept[node] = 1;
}

/* Code of a module, or of Python, that the capture does not have is unknown code. */
static uint64_t checked_key(const struct capture *capture, uint64_t key)
{
    uint32_t module = ts_key_module(key);
    if (ts_key_kind(key) == TS_FRAME_PYTHON)
        return python_key_checked(capture, key);
    if (ts_key_kind(key) != TS_FRAME_NATIVE ||
        (module < capture->module_count && capture->modules[module].path[0] != '\0'))
        return key;
    return ts_key(TS_FRAME_UNKNOWN, 0, ts_key_offset(key) >> 12);
}

/*
 * Numbers the kept nodes in their order, so that parents stay smaller, and copies them. There is
 * room for one more: the mark that stands for a catch-all which the region lacks.
 */
static int copy_nodes(struct capture *capture, struct tree *tree)
{
    uint32_t count = 1;
    for (uint32_t i = 1; i < tree->count; i++)
        if (tree->kept[i] != 0)
            tree->kept[i] = count++;
    capture->nodes = calloc((size_t)count + 1, sizeof(*capture->nodes));
    if (capture->nodes == NULL)
        return -1;
    for (uint32_t i = 1; i < tree->count; i++)
        if (tree->kept[i] != 0)
            capture->nodes[tree->kept[i]] = (struct capture_node){
                .key = checked_key(capture, tree->nodes[i].key),
                .parent = tree->kept[tree->nodes[i].parent],
            };
    capture->node_count = count;
    return 0;
}

static void add_context(struct capture *capture, uint32_t node, uint32_t domain,
                        struct capture_values values)
{
    clamp(&values);
    if (has_counts(&values) && values_add_checked(&capture->totals, &values))
        capture->contexts[capture->context_count++] = (struct capture_context){
            node, domain < TS_DOMAIN_COUNT ? domain : TS_DOMAIN_LIBC, values};
}

static void charge(struct capture_values *to, struct capture_values values)
{
    struct capture_values sum = *to;
    clamp(&values);
    if (values_add_checked(&sum, &values))
        *to = sum;
}

static void copy_contexts(struct capture *capture, struct tree *tree,
                          const struct counters *counters, const struct ts_context *records,
                          const uint32_t *node_of)
{
    struct capture_values astray = {0};
    uint32_t catch_all = 0;
    for (uint32_t i = 1; i < counters->count; i++) {
        struct capture_values values = counters->values[i];
        if (!has_counts(&values))
            continue;
        if (node_of[i] == 0 || i == CATCH_ALL)
            charge(&astray, values);
        else
            add_context(capture, tree->kept[node_of[i]], records[i].domain, values);
    }
    if (!has_counts(&astray))
        return;
    if (counters->count > CATCH_ALL)
        catch_all = tree->kept[node_of[CATCH_ALL]];
    if (catch_all == 0) {
        catch_all = capture->node_count++;
        capture->nodes[catch_all].key = ts_key(TS_FRAME_MARK, 0, TS_MARK_CATCH_ALL);
    }
    add_context(capture, catch_all, TS_DOMAIN_LIBC, astray);
}

void raise_peak(struct capture *capture)
{
    struct capture_values *totals = &capture->totals;
    if (totals->allocated_size - totals->freed_size <= totals->peak_size)
        return;
    for (uint32_t i = 0; i < capture->context_count; i++) {
        struct capture_values *values = &capture->contexts[i].values;
        values->peak_count = values->allocated_count - values->freed_count;
        values->peak_size = values->allocated_size - values->freed_size;
    }
    totals->peak_count = totals->allocated_count - totals->freed_count;
    totals->peak_size = totals->allocated_size - totals->freed_size;
}

static int assemble(struct capture *capture, const struct counters *counters,
                    const struct records *contexts, struct tree *tree, uint32_t *node_of)
{
    const struct ts_context *records = contexts->at;
    size_t with_counts = 0;
    measure(tree);
    for (uint32_t i = 1; i < counters->count; i++) {
        if (!has_counts(&counters->values[i]) && i != CATCH_ALL)
            continue;
        with_counts++;
        if (i < contexts->count && is_usable(tree, records[i].node)) {
            node_of[i] = records[i].node;
            keep(tree, node_of[i]);
        }
    }
    capture->contexts = calloc(with_counts + 1, sizeof(*capture->contexts));
    if (capture->contexts == NULL || copy_nodes(capture, tree) != 0)
        return -1;
    copy_contexts(capture, tree, counters, records, node_of);
    raise_peak(capture);
    return 0;
}

int assemble_contexts(struct capture *capture, const struct counters *counters,
                      const struct records *contexts, const struct records *nodes,
                      struct error *error)
{
    struct tree tree = {.nodes = nodes->at, .count = nodes->count};
    uint32_t *node_of = calloc((size_t)counters->count + 1, sizeof(*node_of));
    tree.depth = calloc((size_t)tree.count + 1, sizeof(*tree.depth));
    tree.kept = calloc((size_t)tree.count + 1, sizeof(*tree.kept));
    int result = -1;
    if (node_of != NULL && tree.depth != NULL && tree.kept != NULL)
        result = assemble(capture, counters, contexts, &tree, node_of);
    free(node_of);
    free(tree.depth);
    free(tree.kept);
    return result == 0 ? 0 : error_set(error, "out of memory for the contexts of a process");
}

/*
 * Stacks as they are shown: a tree of looks, in which equal stacks of different contexts and
 * captures meet.
 */
#include "tools/model/model.h"

#include <stdlib.h>
#include <string.h>

static struct stack *extend(struct builder *builder, const struct stack *parent, struct look *look)
{
    struct {
        const struct stack *parent;
        const struct look *look;
    } key = {parent, look};
    uint64_t slot = keyed(builder, &key, sizeof(key));
    struct stack *stack = hash_map_get(&builder->stacks, slot);
    if (stack != NULL)
        return stack;
    stack = strpool_alloc(builder->pool, sizeof(*stack));
    stack->parent = parent;
    stack->look = look;
    stack->depth = parent != NULL ? parent->depth + 1 : 0;
    stack->number = (uint32_t)builder->stack_count;
    builder->stack_list = memory_grow(builder->stack_list, builder->stack_count,
                                      &builder->stack_room, sizeof(struct stack *));
    builder->stack_list[builder->stack_count++] = stack;
    hash_map_put(&builder->stacks, slot, stack);
    return stack;
}

void stacks_find(struct builder *builder, struct side *side)
{
    const struct capture *capture = side->capture;
    side->stacks = memory_resize(NULL, capture->node_count, sizeof(struct stack *));
    side->stacks[0] = extend(builder, NULL, NULL);
    for (uint32_t i = 1; i < capture->node_count; i++) {
        struct code *code = code_of(builder, side, i);
        struct stack *stack = side->stacks[capture->nodes[i].parent];
        for (size_t j = code->count; j-- > 0;)
            stack = extend(builder, stack, code->frames[j].look);
        side->stacks[i] = stack;
    }
}

struct stack *stack_of(struct builder *builder, struct side *side, uint32_t node)
{
    if (node != 0)
        return side->stacks[node];
    return extend(builder, side->stacks[0], frame_none(builder)->look);
}

static int compare_looks(const void *a, const void *b)
{
    const struct look *const *x = a, *const *y = b;
    return place_compare(&(*x)->frame, &(*y)->frame);
}

static void rank_looks(struct builder *builder)
{
    size_t count = 0;
    struct look **looks = memory_resize(NULL, builder->looks.count, sizeof(struct look *));
    for (size_t i = 0; i < builder->looks.capacity; i++)
        if (builder->looks.entries[i].value != NULL)
            looks[count++] = builder->looks.entries[i].value;
    qsort(looks, count, sizeof(struct look *), compare_looks);
    for (size_t i = 0; i < count; i++)
        looks[i]->rank = (uint32_t)i;
    free(looks);
}

/* Children of one parent stand together, in the order of their looks. */
static int compare_siblings(const void *a, const void *b)
{
    const struct stack *x = *(const struct stack *const *)a, *y = *(const struct stack *const *)b;
    if (x->parent != y->parent)
        return x->parent->number < y->parent->number ? -1 : 1;
    return (x->look->rank > y->look->rank) - (x->look->rank < y->look->rank);
}

/*
 * Numbers the tree depth first. With the children of stack n at sorted[first[n]] to sorted[first[n
 * + 1] - 1], a stack's successor in that order is its first child, else the next sibling of the
 * nearest one that has one.
 */
static void number_tree(struct builder *builder, struct stack **sorted, const size_t *first)
{
    size_t depth = 0, room = 0;
    size_t *next = NULL; /* per level: the next child to visit */
    struct stack **path = memory_resize(NULL, builder->stack_count, sizeof(struct stack *));
    uint32_t rank = 0;
    struct stack *at = builder->stack_list[0];
    for (;;) {
        at->rank = rank++;
        next = memory_grow(next, depth, &room, sizeof(*next));
        path[depth] = at;
        next[depth++] = first[at->number];
        while (depth > 0 && next[depth - 1] == first[path[depth - 1]->number + 1])
            depth--;
        if (depth == 0)
            break;
        at = sorted[next[depth - 1]++];
    }
    free(next);
    free(path);
}

void stacks_rank(struct builder *builder)
{
    size_t count = builder->stack_count - 1; /* all but the root */
    struct stack **sorted = memory_resize(NULL, count, sizeof(struct stack *));
    size_t *first = memory_resize(NULL, count + 2, sizeof(*first));
    rank_looks(builder);
    memcpy(sorted, builder->stack_list + 1, count * sizeof(struct stack *));
    qsort(sorted, count, sizeof(struct stack *), compare_siblings);
    for (size_t i = 0, number = 0; number < count + 2; number++) {
        while (i < count && sorted[i]->parent->number < number)
            i++;
        first[number] = i;
    }
    number_tree(builder, sorted, first);
    free(sorted);
    free(first);
}

void stack_frames(struct builder *builder, struct report_row *row, const struct stack *stack)
{
    row->frame_count = stack->depth;
    struct report_frame *frames = strpool_alloc(builder->pool, row->frame_count * sizeof(*frames));
    row->frames = frames;
    for (; stack->depth != 0; stack = stack->parent)
        *frames++ = stack->look->frame;
}

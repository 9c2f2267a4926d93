/*
 * Rows in the making: what belongs together under a grouping, and the sums.
 */
#include "tools/model/model.h"

#include <string.h>

void values_add(struct capture_values *to, const struct capture_values *values)
{
    to->allocated_count += values->allocated_count;
    to->allocated_size += values->allocated_size;
    to->freed_count += values->freed_count;
    to->freed_size += values->freed_size;
    to->peak_count += values->peak_count;
    to->peak_size += values->peak_size;
    to->temporary_count += values->temporary_count;
}

/* Reduces a frame to what the grouping leaves of it: equal places are one row. */
static struct report_frame place_of(enum report_group group, const struct report_frame *frame)
{
    struct report_frame text = {.function = frame->function, .kind = frame->kind};
    if (frame->object == NULL && !has_line(frame))
        return text;
    switch (group) {
    case GROUP_FUNCTION:
        if (frame->function != NULL)
            return (struct report_frame){.function = frame->function,
                                         .file = frame->file,
                                         .object = frame->object,
                                         .kind = frame->kind};
        break;
    case GROUP_FILE:
        if (frame->file != NULL)
            return (struct report_frame){.file = frame->file, .kind = frame->kind};
        return (struct report_frame){.object = frame->object};
    case GROUP_OBJECT:
        if (frame->object != NULL)
            return (struct report_frame){.object = frame->object, .kind = frame->kind};
        return (struct report_frame){.file = frame->file, .kind = frame->kind};
    case GROUP_LINE:
    case GROUP_STACK:
    case GROUP_DOMAIN:
        break;
    }
    if (has_line(frame))
        return (struct report_frame){
            .file = frame->file, .line = frame->line, .kind = frame->kind};
    return (struct report_frame){.object = frame->object, .offset = frame->offset};
}

static struct group *group_new(struct builder *builder)
{
    struct group *group = strpool_alloc(builder->pool, sizeof(*group));
    builder->group_list = memory_grow(builder->group_list, builder->group_count,
                                      &builder->group_room, sizeof(*builder->group_list));
    builder->group_list[builder->group_count++] = group;
    return group;
}

static struct group *group_of_frame(struct builder *builder, const struct report_frame *frame)
{
    struct report_frame place = place_of(builder->options->group, frame);
    struct {
        const char *function, *file, *object;
        uint64_t line, offset;
    } key = {place.function, place.file, place.object, place.line, place.offset};
    uint64_t slot = keyed(builder, &key, sizeof(key));
    struct group *group = hash_map_get(&builder->groups, slot);
    if (group == NULL) {
        group = group_new(builder);
        group->row.place = place;
        group->best_is_old = true;
        hash_map_put(&builder->groups, slot, group);
    }
    return group;
}

static int compare_contributors(const struct capture_values *a, const struct capture_values *b)
{
    uint64_t live_a = a->allocated_size - a->freed_size, live_b = b->allocated_size - b->freed_size;
    if (live_a != live_b)
        return live_a > live_b ? 1 : -1;
    return (a->allocated_size > b->allocated_size) - (a->allocated_size < b->allocated_size);
}

/*
 * A line's function and object are those of the context that holds most there; of equals, the first
 * by name.
 */
static bool name_line(struct group *group, const struct report_frame *frame,
                      const struct capture_values *values, bool is_old)
{
    struct report_frame *place = &group->row.place;
    if (is_old && !group->best_is_old)
        return false;
    int order = is_old == group->best_is_old ? compare_contributors(values, &group->best) : 1;
    if (place->function != NULL || place->object != NULL) {
        if (order < 0 || (order == 0 && frame->function == place->function))
            return false;
        if (order == 0 && frame->function != NULL && place->function != NULL &&
            strcmp(frame->function, place->function) > 0)
            return false;
    }
    group->best = *values;
    group->best_is_old = is_old;
    place->function = frame->function;
    place->object = frame->object;
    place->offset = frame->offset;
    place->inlined = frame->inlined;
    place->kind = frame->kind;
    return true;
}

static void add_values(struct group *group, const struct capture_context *context, bool is_old)
{
    values_add(is_old ? &group->row.old_values : &group->row.values, &context->values);
    domain_add(group, context, is_old);
}

bool group_add_frame(struct builder *builder, struct frame *frame,
                     const struct capture_context *context, bool is_old)
{
    bool names = false;
    if (frame->group == NULL)
        frame->group = group_of_frame(builder, &frame->shown);
    if (builder->options->group == GROUP_LINE)
        names = name_line(frame->group, &frame->shown, &context->values, is_old);
    add_values(frame->group, context, is_old);
    return names;
}

void group_add_stack(struct builder *builder, struct stack *stack, const struct frame *charged,
                     const struct capture_context *context, bool is_old)
{
    struct group **group = &stack->groups[builder->options->split_domains ? context->domain : 0];
    if (*group == NULL) {
        *group = group_new(builder);
        (*group)->row.place = charged->shown;
        (*group)->stack = stack;
    }
    add_values(*group, context, is_old);
}

void group_add_domain(struct builder *builder, const struct capture_context *context, bool is_old)
{
    struct group **group = &builder->of_domain[context->domain];
    if (*group == NULL) {
        *group = group_new(builder);
        (*group)->row.label = report_domains[context->domain];
    }
    add_values(*group, context, is_old);
}

/*
 * Building a report: each context is charged, filtered and added to its rows; then the rows are
 * sorted, named and handed out.
 */
#include "tools/model/report.h"

#include "tools/model/model.h"

#include <stdlib.h>

/*
 * Whether a block counts in a frame of its stack: in one that could be charged. In a process with
 * Python frames that is neither the interpreter's nor the C library's, which are in every stack.
 */
static bool counts_in(const struct builder *builder, const struct side *side,
                      const struct frame *frame)
{
    bool is_python = frame->shown.kind == KIND_PYTHON;
    switch (builder->options->attribute) {
    case ATTRIBUTE_USER:
        return is_python || side->capture->code_count <= 1 || /* code 0 is none */
               (frame->merit <= MERIT_LIBRARY && !frame->of_interpreter);
    case ATTRIBUTE_PYTHON: return is_python;
    case ATTRIBUTE_NATIVE: return !is_python;
    case ATTRIBUTE_LEAF: break;
    }
    return true;
}

/* What counts in no frame else counts in the one that is charged. */
static void add_path(struct builder *builder, struct side *side, uint32_t node,
                     const struct capture_context *context, struct frame *charged, bool is_old)
{
    bool counted = false;
    for (; node != 0; node = side->capture->nodes[node].parent) {
        struct code *code = code_of(builder, side, node);
        for (size_t i = 0; i < code->count; i++) {
            if (!counts_in(builder, side, &code->frames[i]))
                continue;
            group_add_frame(builder, &code->frames[i], context, is_old);
            counted = true;
        }
    }
    if (!counted)
        group_add_frame(builder, charged, context, is_old);
}

static bool is_wanted(const struct report_options *options, const struct capture_context *context)
{
    return options->domains == 0 || (options->domains >> context->domain & 1) != 0;
}

/* Names cost time: by domain they are asked for by filters alone. */
static bool needs_frame(const struct report_options *options)
{
    return options->group != GROUP_DOMAIN || options->filter_count != 0;
}

static void add_context(struct builder *builder, struct side *side,
                        const struct capture_context *context, struct frame *charged, bool is_old)
{
    const struct report_options *options = builder->options;
    if (options->group == GROUP_DOMAIN)
        group_add_domain(builder, context, is_old);
    else if (options->group == GROUP_STACK)
        group_add_stack(builder, stack_of(builder, side, context->node), charged, context, is_old);
    else if (options->cumulative)
        add_path(builder, side, context->node, context, charged, is_old);
    else if (group_add_frame(builder, charged, context, is_old) &&
             charged->shown.function == NULL && !has_line(&charged->shown))
        charged->group->row.called_from = place_called_from(builder, side, context->node, charged);
}

static size_t add_side(struct builder *builder, struct side *side, bool is_old,
                       struct capture_values *totals)
{
    const struct capture *capture = side->capture;
    const struct report_options *options = builder->options;
    size_t passed = 0;
    if (options->group == GROUP_STACK)
        stacks_find(builder, side);
    for (uint32_t i = 0; i < capture->context_count; i++) {
        const struct capture_context *context = &capture->contexts[i];
        if (!is_wanted(options, context))
            continue;
        struct frame *charged =
            needs_frame(options) ? attribute(builder, side, context->node) : NULL;
        if (!filters_pass(builder, side, context->node, charged))
            continue;
        passed++;
        values_add(totals, &context->values);
        add_context(builder, side, context, charged, is_old);
    }
    return passed;
}

static void finish_values(struct report_row *row, bool is_diff)
{
    const struct capture_values *now = &row->values, *old = &row->old_values;
    row->size = now->allocated_size - now->freed_size;
    row->count = now->allocated_count - now->freed_count;
    if (is_diff) {
        row->size_diff = (int64_t)(row->size - (old->allocated_size - old->freed_size));
        row->count_diff = (int64_t)(row->count - (old->allocated_count - old->freed_count));
    }
}

static bool has_domains(const struct capture *capture)
{
    for (uint32_t i = 0; capture != NULL && i < capture->context_count; i++)
        if (capture->contexts[i].domain != TS_DOMAIN_LIBC)
            return true;
    return false;
}

static void make_rows(struct report *report, struct builder *builder)
{
    const struct report_options *options = &report->options;
    for (size_t i = 0; i < builder->group_count; i++) {
        finish_values(&builder->group_list[i]->row, report->is_diff);
        domain_finish(builder->group_list[i], options->sort);
    }
    if (options->group == GROUP_STACK)
        stacks_rank(builder);
    groups_sort(builder, report->is_diff);
    report->row_count = builder->group_count;
    report->rows = memory_resize(NULL, report->row_count, sizeof(*report->rows));
    for (size_t i = 0; i < report->row_count; i++) {
        struct group *group = builder->group_list[i];
        if (group->stack != NULL && (options->frames_top == 0 || i < options->frames_top))
            stack_frames(builder, &group->row, group->stack);
        if (group->row.label == NULL)
            group->row.label = place_label(builder->pool, options->group, &group->row.place);
        report->rows[i] = group->row;
    }
}

struct report *report_build(const struct capture *capture, struct symbolizer *symbolizer,
                            const struct capture *old, struct symbolizer *old_symbolizer,
                            const struct report_options *options, struct error *error)
{
    if (options->cumulative && (options->group == GROUP_STACK || options->group == GROUP_DOMAIN)) {
        error_set(error,
                  "--cumulative does not go with --group-by %s: use line, function, file or"
                  " object",
                  options->group == GROUP_STACK ? "stack" : "domain");
        return NULL;
    }
    struct report *report = memory_resize(NULL, 1, sizeof(*report));
    struct builder builder = {.options = options, .pool = strpool_new()};
    struct side now, before;
    *report = (struct report){.options = *options,
                              .is_diff = old != NULL,
                              .has_domains = has_domains(capture) || has_domains(old),
                              .capture = capture,
                              .old = old,
                              .arena = builder.pool};
    side_begin(&now, capture, symbolizer);
    report->context_count = add_side(&builder, &now, false, &report->totals);
    if (old != NULL) {
        side_begin(&before, old, old_symbolizer);
        add_side(&builder, &before, true, &report->old_totals);
        side_end(&before);
    }
    make_rows(report, &builder);
    side_end(&now);
    hash_map_clear(&builder.looks);
    hash_map_clear(&builder.groups);
    hash_map_clear(&builder.stacks);
    free(builder.group_list);
    free(builder.stack_list);
    return report;
}

void report_free(struct report *report)
{
    if (report == NULL)
        return;
    strpool_free(report->arena);
    free(report->rows);
    free(report);
}

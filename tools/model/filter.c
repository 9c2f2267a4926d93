/*
 * Filters, as tracemalloc.Filter: a context passes when some inclusive filter matches it (if there
 * are any) and no exclusive one does. Each look is matched once.
 */
#include "tools/model/model.h"

#include <fnmatch.h>
#include <string.h>

/* tracemalloc reads a compiled file's name as its source's, in the pattern and in the name. */
static bool glob_matches(const char *glob, const char *name, struct strpool *pool)
{
    size_t pattern = strlen(glob), length = strlen(name);
    if (pattern >= 4 && strcmp(glob + pattern - 4, ".pyc") == 0)
        glob = strpool_intern_part(pool, glob, pattern - 1);
    if (length >= 4 && strcmp(name + length - 4, ".pyc") == 0)
        name = strpool_intern_part(pool, name, length - 1);
    return fnmatch(glob, name, FNM_NOESCAPE) == 0;
}

static bool matches(struct builder *builder, const struct look *look, size_t number)
{
    const struct report_filter *filter = &builder->options->filters[number];
    const struct report_frame *frame = &look->frame;
    const char *name = frame->file;
    if (name == NULL)
        name = frame->object != NULL ? frame->object : frame->function;
    if (look->matches[number] == 0) {
        bool yes = (filter->line == 0 || filter->line == frame->line) &&
                   glob_matches(filter->glob, name, builder->pool);
        look->matches[number] = yes ? 2 : 1;
    }
    return look->matches[number] == 2;
}

static bool any_frame_matches(struct builder *builder, struct side *side, uint32_t node,
                              size_t number)
{
    if (node == 0)
        return matches(builder, frame_none(builder)->look, number);
    for (; node != 0; node = side->capture->nodes[node].parent) {
        struct code *code = code_of(builder, side, node);
        for (size_t i = 0; i < code->count; i++)
            if (matches(builder, code->frames[i].look, number))
                return true;
    }
    return false;
}

bool filters_pass(struct builder *builder, struct side *side, uint32_t node,
                  const struct frame *charged)
{
    const struct report_options *options = builder->options;
    bool has_inclusive = false, included = false;
    for (size_t i = 0; i < options->filter_count; i++) {
        bool inclusive = options->filters[i].inclusive;
        if (inclusive && included)
            continue;
        bool match = options->all_frames ? any_frame_matches(builder, side, node, i)
                                         : matches(builder, charged->look, i);
        if (!inclusive && match)
            return false;
        has_inclusive |= inclusive;
        included |= inclusive && match;
    }
    return included || !has_inclusive;
}

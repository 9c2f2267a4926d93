/*
 * Places: which frame of a stack a block is charged to, what a place is called, and how places
 * compare.
 */
#include "tools/model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool has_line(const struct report_frame *frame)
{
    /*
     * Line 0 is code that the compiler made, except where there is nothing but a name:
     * "<unknown>:0". Python says the same of its own code.
     */
    return frame->file != NULL &&
           (frame->line != 0 || frame->object == NULL || frame->kind == KIND_PYTHON);
}

static bool is_python(const struct side *side, uint32_t node)
{
    return ts_key_kind(side->capture->nodes[node].key) == TS_FRAME_PYTHON;
}

/* NULL = there is none. */
static struct frame *innermost_python(struct builder *builder, struct side *side, uint32_t node)
{
    while (node != 0 && !is_python(side, node))
        node = side->capture->nodes[node].parent;
    return node != 0 ? &code_of(builder, side, node)->frames[0] : NULL;
}

struct frame *attribute(struct builder *builder, struct side *side, uint32_t node)
{
    enum report_attribute rule = builder->options->attribute;
    struct frame *best = NULL;
    if (rule == ATTRIBUTE_USER || rule == ATTRIBUTE_PYTHON)
        best = innermost_python(builder, side, node);
    if (best != NULL)
        return best;
    if (rule == ATTRIBUTE_PYTHON)
        return frame_none(builder);
    for (; node != 0; node = side->capture->nodes[node].parent) {
        if (rule == ATTRIBUTE_NATIVE && is_python(side, node))
            continue;
        struct code *code = code_of(builder, side, node);
        for (size_t i = 0; i < code->count; i++) {
            struct frame *frame = &code->frames[i];
            if (best == NULL || frame->merit < best->merit)
                best = frame;
            if (best->merit == MERIT_USER || (rule == ATTRIBUTE_LEAF && best->merit != MERIT_MARK))
                return best;
        }
    }
    return best != NULL ? best : frame_none(builder);
}

const char *place_called_from(struct builder *builder, struct side *side, uint32_t node,
                              const struct frame *charged)
{
    bool passed = false;
    for (; node != 0; node = side->capture->nodes[node].parent) {
        struct code *code = code_of(builder, side, node);
        for (size_t i = 0; i < code->count; i++) {
            const struct frame *frame = &code->frames[i];
            if (passed && frame->shown.function != NULL && frame->merit <= MERIT_USER_NO_LINE)
                return frame->shown.function;
            passed = passed || frame == charged;
        }
    }
    return NULL;
}

static const char *format_place(struct strpool *pool, const char *format, const char *name,
                                uint64_t number)
{
    char text[8192];
    int length = snprintf(text, sizeof(text), format, name, number);
    return strpool_intern_part(pool, text,
                               (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

/* What can be said of a place without a line. */
static const char *code_label(struct strpool *pool, const struct report_frame *place)
{
    if (place->object != NULL)
        return format_place(pool, "%s+0x%" PRIx64, place->object, place->offset);
    return place->function != NULL ? place->function : "<unknown code>";
}

const char *place_label(struct strpool *pool, enum report_group group,
                        const struct report_frame *place)
{
    switch (group) {
    case GROUP_FUNCTION:
        if (place->function != NULL)
            return place->function;
        break;
    case GROUP_FILE:
        if (place->file != NULL)
            return format_place(pool, "%s:%" PRIu64, place->file, 0);
        /* fallthrough */
    case GROUP_OBJECT:
        if (place->object != NULL)
            return place->object;
        break;
    case GROUP_LINE:
    case GROUP_STACK:
    case GROUP_DOMAIN:
        break;
    }
    if (has_line(place))
        return format_place(pool, "%s:%" PRIu64, place->file, place->line);
    return code_label(pool, place);
}

static int compare_texts(const char *a, const char *b)
{
    if (a == b)
        return 0;
    if (a == NULL || b == NULL)
        return a == NULL ? -1 : 1;
    return strcmp(a, b); /* bytes of UTF-8 have the order of code points */
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static const char *place_name(const struct report_frame *place)
{
    if (has_line(place))
        return place->file;
    return place->object != NULL ? place->object : place->function;
}

static uint64_t place_number(const struct report_frame *place)
{
    return has_line(place) ? place->line : place->offset;
}

int place_compare(const struct report_frame *a, const struct report_frame *b)
{
    int order = compare_texts(place_name(a), place_name(b));
    if (order == 0)
        order = compare_numbers(place_number(a), place_number(b));
    if (order == 0)
        order = compare_texts(a->function, b->function);
    if (order == 0)
        order = compare_texts(a->file, b->file);
    if (order == 0)
        order = compare_texts(a->object, b->object);
    return order;
}

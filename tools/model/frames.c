/*
 * From nodes to frames: each frame key is symbolised once, and only when somebody asks.
 */
#include "tools/model/model.h"

#include "tools/base/printable.h"
#include "tools/symbol/python_lines.h"

#include <stdlib.h>
#include <string.h>

#define UNKNOWN_FILE "<unknown>" /* as tracemalloc calls it */

uint64_t keyed(struct builder *builder, const void *key, size_t size)
{
    return (uint64_t)(uintptr_t)strpool_intern_part(builder->pool, key, size);
}

void side_begin(struct side *side, const struct capture *capture, struct symbolizer *symbolizer)
{
    *side = (struct side){.capture = capture, .symbolizer = symbolizer};
    side->of_node = memory_resize(NULL, capture->node_count, sizeof(*side->of_node));
    memset(side->of_node, 0, capture->node_count * sizeof(*side->of_node));
    side->lines = memory_resize(NULL, capture->code_count, sizeof(*side->lines));
    memset(side->lines, 0, capture->code_count * sizeof(*side->lines));
}

void side_end(struct side *side)
{
    hash_map_clear(&side->codes);
    free(side->of_node);
    free(side->stacks);
    for (uint32_t i = 0; i < side->capture->code_count; i++)
        python_lines_free(side->lines[i]);
    free(side->lines);
}

/*
 * What a report can tell frames apart by: with a line, the place in the source, whether the
 * compiler inlined it or not; else, the place in the code.
 */
static struct look *look_of(struct builder *builder, const struct report_frame *frame)
{
    struct {
        const char *function, *file, *object;
        uint64_t number;
    } key = {.function = frame->function};
    if (has_line(frame) || frame->object == NULL) {
        key.file = frame->file;
        key.number = (uint64_t)frame->kind << 32 | frame->line;
    } else {
        key.object = frame->object;
        key.number = frame->offset;
    }
    uint64_t slot = keyed(builder, &key, sizeof(key));
    struct look *look = hash_map_get(&builder->looks, slot);
    if (look == NULL) {
        look = strpool_alloc(builder->pool, sizeof(*look));
        look->frame = *frame;
        if (builder->options->filter_count != 0)
            look->matches = strpool_alloc(builder->pool, builder->options->filter_count);
        hash_map_put(&builder->looks, slot, look);
    }
    return look;
}

static void finish(struct builder *builder, struct frame *frame)
{
    frame->look = look_of(builder, &frame->shown);
    frame->merit = user_code_merit(&frame->shown);
    frame->of_interpreter = user_code_is_interpreter(&frame->shown);
}

/* Names are anybody's: from here on they can be shown. */
static const char *own_copy(struct builder *builder, const char *text)
{
    if (text == NULL || is_printable(text))
        return text != NULL ? strpool_intern(builder->pool, text) : NULL;
    char *clean = memory_resize(NULL, PRINTABLE_ROOM(strlen(text)), 1);
    const char *own = strpool_intern(builder->pool, printable(clean, text));
    free(clean);
    return own;
}

static struct code *code_new(struct builder *builder, size_t count)
{
    struct code *code = strpool_alloc(builder->pool, sizeof(*code));
    code->count = count;
    code->frames = strpool_alloc(builder->pool, count * sizeof(*code->frames));
    return code;
}

static struct code *symbolise(struct builder *builder, struct side *side, uint64_t key)
{
    const struct capture_module *module = &side->capture->modules[ts_key_module(key)];
    const struct symbol_result *result =
        symbolizer_lookup(side->symbolizer, module, ts_key_offset(key));
    struct code *code = code_new(builder, result->count);
    for (size_t i = 0; i < result->count; i++) {
        code->frames[i].shown = (struct report_frame){
            .function = own_copy(builder, result->frames[i].function),
            .file = own_copy(builder, result->frames[i].file),
            .line = result->frames[i].line,
            .object = own_copy(builder, module->path),
            .offset = ts_key_offset(key),
            .inlined = result->frames[i].inlined,
        };
        finish(builder, &code->frames[i]);
    }
    return code;
}

/* Code that does not exist has no lines. */
static uint32_t python_line(struct side *side, uint32_t number, uint32_t instruction)
{
    const struct capture_code *code = &side->capture->codes[number];
    if (side->lines[number] == NULL)
        side->lines[number] =
            python_lines_new(code->table_kind, side->capture->tables + code->table_at,
                             code->table_size, code->first_line);
    return python_lines_find(side->lines[number], instruction);
}

static struct code *python_code(struct builder *builder, struct side *side, uint64_t key)
{
    struct code *code = code_new(builder, 1);
    struct report_frame *shown = &code->frames[0].shown;
    uint32_t number = ts_key_code(key);
    shown->kind = KIND_PYTHON;
    if (number < side->capture->code_count && side->capture->codes[number].file != NULL) {
        shown->function = own_copy(builder, side->capture->codes[number].name);
        shown->file = own_copy(builder, side->capture->codes[number].file);
        shown->line = python_line(side, number, ts_key_instruction(key));
        shown->object = python_object(builder->pool, shown->file);
    } else
        shown->file = strpool_intern(builder->pool, UNKNOWN_FILE);
    finish(builder, &code->frames[0]);
    return code;
}

static const char *mark_text(uint64_t mark)
{
    static const char *const texts[] = {
#define X(name, text) [TS_MARK_##name] = text,
        TS_MARK_LIST(X)
#undef X
    };
    return mark < TS_MARK_END && texts[mark] != NULL ? texts[mark] : "<unknown mark>";
}

static struct code *make_code(struct builder *builder, struct side *side, uint64_t key)
{
    if (ts_key_kind(key) == TS_FRAME_NATIVE)
        return symbolise(builder, side, key);
    if (ts_key_kind(key) == TS_FRAME_PYTHON)
        return python_code(builder, side, key);
    struct code *code = code_new(builder, 1);
    const char *text = ts_key_kind(key) == TS_FRAME_MARK ? mark_text(ts_key_offset(key)) : NULL;
    code->frames[0].shown.function =
        strpool_intern(builder->pool, text != NULL ? text : "<unknown code>");
    finish(builder, &code->frames[0]);
    if (text != NULL)
        code->frames[0].merit = MERIT_MARK;
    return code;
}

struct code *code_of(struct builder *builder, struct side *side, uint32_t node)
{
    struct code *code = side->of_node[node];
    if (code != NULL)
        return code;
    uint64_t key = side->capture->nodes[node].key;
    code = hash_map_get(&side->codes, key);
    if (code == NULL) {
        code = make_code(builder, side, key);
        hash_map_put(&side->codes, key, code);
    }
    side->of_node[node] = code;
    return code;
}

struct frame *frame_none(struct builder *builder)
{
    if (builder->none == NULL) {
        builder->none = strpool_alloc(builder->pool, sizeof(*builder->none));
        builder->none->shown.file = strpool_intern(builder->pool, UNKNOWN_FILE);
        finish(builder, builder->none);
    }
    return builder->none;
}

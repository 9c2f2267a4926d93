/*
 * The export format json (tracesnap.capture/1): a whole capture with its symbols. Frames stand once
 * in a table, and the contexts' stacks are numbers in it, innermost first.
 */
#include "tools/base/hash_map.h"
#include "tools/base/strpool.h"
#include "tools/render/interpreter.h"
#include "tools/render/json.h"
#include "tools/render/memory.h"
#include "tools/render/render.h"

#include <string.h>

/* Finds the number of a frame by its content: under its hash, or the next key that is free. */
struct frame_table {
    json_t *frames;
    struct hash_map numbers; /* to struct numbered */
    struct strpool *pool;
};

struct numbered {
    const struct report_frame *frame;
    size_t number;
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ^ (text != NULL);
}

static uint64_t hash_frame(const struct report_frame *frame)
{
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), frame->function);
    hash = hash_text(hash, frame->file);
    hash = hash_text(hash, frame->object);
    hash = (hash ^ frame->offset) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= frame->line ^ (uint64_t)frame->inlined << 32 ^ (uint64_t)frame->kind << 40;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_frame(const struct report_frame *a, const struct report_frame *b)
{
    return a->offset == b->offset && a->line == b->line && a->inlined == b->inlined && a->kind == b->kind &&
           same_text(a->function, b->function) && same_text(a->file, b->file) &&
           same_text(a->object, b->object);
}

static size_t frame_number(struct frame_table *table, const struct report_frame *frame)
{
    uint64_t key = hash_frame(frame);
    struct numbered *known;
    while ((known = hash_map_get(&table->numbers, key)) && !same_frame(known->frame, frame))
        key++;
    if (!known) {
        known = strpool_alloc(table->pool, sizeof(*known));
        *known = (struct numbered){frame, json_array_size(table->frames)};
        hash_map_put(&table->numbers, key, known);
        json_array_append_new(table->frames, json_frame(frame));
    }
    return known->number;
}

static json_t *context_json(struct frame_table *table, const struct report_row *row)
{
    json_t *object = json_object();
    json_t *frames = json_array();
    for (size_t i = 0; i < row->frame_count; i++)
        json_array_append_new(frames, json_count(frame_number(table, &row->frames[i])));
    json_object_set_new(object, "frames", frames);
    json_object_set_new(object, "size", json_count(row->size));
    json_object_set_new(object, "count", json_count(row->count));
    json_set_history(object, &row->values);
    json_set_domain(object, row);
    return object;
}

static json_t *modules_json(const struct capture *capture)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < capture->module_count; i++) {
        const struct capture_module *module = &capture->modules[i];
        if (!*module->path)
            continue;
        json_t *object = json_object();
        json_object_set_new(object, "path", json_text(module->path));
        json_object_set_new(object, "build_id", json_hex(module->build_id, module->build_id_size));
        json_object_set_new(object, "base", json_count(module->base));
        json_object_set_new(object, "size", json_count(module->size));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *threads_json(const struct capture *capture)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < capture->thread_count; i++) {
        const struct capture_thread *thread = &capture->threads[i];
        json_t *object = json_object();
        json_object_set_new(object, "tid", json_integer(thread->tid));
        json_object_set_new(object, "name", json_text(thread->name));
        json_object_set_new(object, "alive", json_boolean(thread->alive));
        json_array_append_new(array, object);
    }
    return array;
}

void export_json(const struct report *report, FILE *out)
{
    const struct capture *capture = report->capture;
    struct frame_table table = {.frames = json_array(), .pool = strpool_new()};
    json_t *contexts = json_array();
    for (size_t i = 0; i < report->row_count; i++)
        json_array_append_new(contexts, context_json(&table, &report->rows[i]));
    hash_map_clear(&table.numbers);
    strpool_free(table.pool);
    json_t *document = json_document("tracesnap.capture/1");
    json_object_set_new(document, "process", json_process(capture));
    json_object_set_new(document, "taken_at", json_moment(capture->process.taken_at));
    json_object_set_new(document, "sampled", json_boolean(capture->process.sample != 0));
    json_object_set_new(document, "totals", json_totals(&report->totals, report->context_count));
    json_object_set_new(document, "memory", json_memory(capture));
    json_object_set_new(document, "interpreter", json_interpreter(capture));
    json_object_set_new(document, "drops", json_drops(capture));
    json_object_set_new(document, "shim", json_gauges(capture));
    json_object_set_new(document, "modules", modules_json(capture));
    json_object_set_new(document, "threads", threads_json(capture));
    json_object_set_new(document, "timeline", json_timeline(capture));
    json_object_set_new(document, "frames", table.frames);
    json_object_set_new(document, "contexts", contexts);
    json_print(document, out);
}

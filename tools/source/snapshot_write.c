/*
 * Writing a snapshot: the sections one after the other, built in memory and written at once.
 */
#include "tools/source/source.h"

#include "region/snapshot.h"
#include "tools/base/hash_map.h"
#include "tools/source/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct image {
    char *bytes;
    size_t size, room;
    bool failed; /* out of memory; checked once, at the end */
};

static void append(struct image *image, const void *bytes, size_t size)
{
    if (image->size + size > image->room) {
        size_t room = (image->size + size) * 2;
        char *moved = realloc(image->bytes, room);
        if (moved == NULL) {
            image->failed = true;
            return;
        }
        image->bytes = moved;
        image->room = room;
    }
    if (size != 0)
        memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

static void begin_section(struct image *image, struct ts_snapshot_header *header,
                          enum ts_section id, size_t record_size, uint64_t count)
{
    static const char zeros[8];
    append(image, zeros, -image->size & 7);
    uint32_t i = header->section_count++;
    header->sections[i].id = id;
    header->sections[i].record_size = (uint32_t)record_size;
    header->sections[i].offset = image->size;
    header->sections[i].count = count;
}

static void add_nodes(struct image *image, struct ts_snapshot_header *header,
                      const struct capture *capture)
{
    begin_section(image, header, TS_SECTION_NODES, sizeof(struct ts_node), capture->node_count);
    for (uint32_t i = 0; i < capture->node_count; i++) {
        struct ts_node node = {.key = capture->nodes[i].key, .parent = capture->nodes[i].parent};
        append(image, &node, sizeof(node));
    }
}

static void add_contexts(struct image *image, struct ts_snapshot_header *header,
                         const struct capture *capture)
{
    begin_section(image, header, TS_SECTION_CONTEXTS, sizeof(struct ts_snapshot_context),
                  capture->context_count);
    for (uint32_t i = 0; i < capture->context_count; i++) {
        const struct capture_values *values = &capture->contexts[i].values;
        struct ts_snapshot_context context = {
            .node = capture->contexts[i].node,
            .domain = capture->contexts[i].domain,
            .allocated = {values->allocated_count, values->allocated_size},
            .freed = {values->freed_count, values->freed_size},
            .peak = {values->peak_count, values->peak_size},
            .temporary = values->temporary_count,
        };
        append(image, &context, sizeof(context));
    }
}

/*
 * The texts of modules and codes, as they follow one another in the section; equal texts of codes
 * are one.
 */
struct texts {
    struct image image;
    struct hash_map known; /* text -> where it stands + 1 */
};

static uint32_t add_text(struct texts *texts, const char *text)
{
    uint32_t at = (uint32_t)texts->image.size;
    append(&texts->image, text, strlen(text));
    return at;
}

static uint32_t add_text_once(struct texts *texts, const char *text)
{
    uint64_t key = (uint64_t)(uintptr_t)text;
    uintptr_t known = (uintptr_t)hash_map_get(&texts->known, key);
    if (known == 0) {
        known = (uintptr_t)add_text(texts, text) + 1;
        hash_map_put(&texts->known, key, (void *)known);
    }
    return (uint32_t)(known - 1);
}

static void add_modules(struct image *image, struct ts_snapshot_header *header,
                        const struct capture *capture, struct texts *texts)
{
    begin_section(image, header, TS_SECTION_MODULES, sizeof(struct ts_snapshot_module),
                  capture->module_count);
    for (uint32_t i = 0; i < capture->module_count; i++) {
        const struct capture_module *from = &capture->modules[i];
        struct ts_snapshot_module module = {
            .base = from->base,
            .size = from->size,
            .path_offset = add_text(texts, from->path),
            .path_size = (uint32_t)strlen(from->path),
            .build_id_size = from->build_id_size,
            .state = from->path[0] != '\0',
        };
        memcpy(module.build_id, from->build_id, sizeof(module.build_id));
        append(image, &module, sizeof(module));
    }
}

static void add_codes(struct image *image, struct ts_snapshot_header *header,
                      const struct capture *capture, struct texts *texts)
{
    uint32_t at = 0;
    begin_section(image, header, TS_SECTION_CODES, sizeof(struct ts_snapshot_code),
                  capture->code_count);
    for (uint32_t i = 0; i < capture->code_count; i++) {
        const struct capture_code *from = &capture->codes[i];
        struct ts_snapshot_code code = {.state = from->file != NULL};
        if (from->file != NULL) {
            code.first_line = from->first_line;
            code.table_kind = from->table_kind;
            code.table_size = from->table_size;
            code.table_at = at;
            code.file_offset = add_text_once(texts, from->file);
            code.file_size = (uint32_t)strlen(from->file);
            code.name_offset = from->name != NULL ? add_text_once(texts, from->name) : 0;
            code.name_size = from->name != NULL ? (uint32_t)strlen(from->name) : 0;
            at += from->table_size;
        }
        append(image, &code, sizeof(code));
    }
    begin_section(image, header, TS_SECTION_TABLES, 1, at);
    for (uint32_t i = 0; i < capture->code_count; i++)
        append(image, capture->tables + capture->codes[i].table_at, capture->codes[i].table_size);
}

/* Modules and codes, and the texts of both. */
static void add_named(struct image *image, struct ts_snapshot_header *header,
                      const struct capture *capture)
{
    struct texts texts = {0};
    add_modules(image, header, capture, &texts);
    if (capture->code_count > 1)
        add_codes(image, header, capture, &texts);
    begin_section(image, header, TS_SECTION_STRINGS, 1, texts.image.size);
    append(image, texts.image.bytes, texts.image.size);
    image->failed = image->failed || texts.image.failed;
    hash_map_clear(&texts.known);
    free(texts.image.bytes);
}

static void add_rest(struct image *image, struct ts_snapshot_header *header,
                     const struct capture *capture)
{
    begin_section(image, header, TS_SECTION_THREADS, sizeof(struct ts_snapshot_thread),
                  capture->thread_count);
    for (uint32_t i = 0; i < capture->thread_count; i++) {
        const struct capture_thread *from = &capture->threads[i];
        struct ts_snapshot_thread thread = {.tid = from->tid, .alive = from->alive};
        memcpy(thread.name, from->name, sizeof(thread.name));
        append(image, &thread, sizeof(thread));
    }
    begin_section(image, header, TS_SECTION_TIMELINE, sizeof(struct ts_moment),
                  capture->timeline_count);
    append(image, capture->timeline, capture->timeline_count * sizeof(struct ts_moment));
}

#define COPY_TEXT(to, from) snprintf((to), sizeof(to), "%s", (from))

/* "running" and "ended" differ by `alive` alone. */
static uint32_t state_number(const char *state)
{
    if (strcmp(state, "replaced") == 0)
        return TS_STATE_REPLACED;
    return strcmp(state, "exited") == 0 ? TS_STATE_EXITED : TS_STATE_RUNNING;
}

static void fill_process(struct ts_process *to, const struct capture_process *from)
{
    to->state = state_number(from->state);
#define X(field) to->field = from->field;
    PROCESS_NUMBERS(X)
#undef X
#define X(field) COPY_TEXT(to->field, from->field);
    PROCESS_TEXTS(X)
#undef X
    to->python = from->python;
    to->python_version = from->python_version;
    to->interpreter = from->interpreter;
}

static void fill_header(struct ts_snapshot_header *header, const struct capture *capture)
{
    const struct capture_process *process = &capture->process;
    memcpy(header->magic, TS_SNAPSHOT_MAGIC, sizeof(header->magic));
    header->version = TS_SNAPSHOT_VERSION;
    header->byte_order = TS_BYTE_ORDER;
    header->header_size = sizeof(*header);
    header->taken_at = process->taken_at;
    header->rss = process->rss;
    header->peak_rss = process->peak_rss;
    header->region_size = process->region_size;
    header->alive = process->alive;
    header->paused = process->paused;
    memcpy(header->drops, capture->drops, sizeof(capture->drops));
    memcpy(header->gauges, capture->gauges, sizeof(capture->gauges));
    memcpy(header->memory, capture->memory, sizeof(capture->memory));
    fill_process(&header->process, process);
}

static int build(struct image *image, const struct capture *capture)
{
    struct ts_snapshot_header *header = calloc(1, sizeof(*header));
    if (header == NULL)
        return -1;
    fill_header(header, capture);
    append(image, header, sizeof(*header));
    add_nodes(image, header, capture);
    add_contexts(image, header, capture);
    add_named(image, header, capture);
    add_rest(image, header, capture);
    if (!image->failed)
        memcpy(image->bytes, header, sizeof(*header));
    free(header);
    return image->failed ? -1 : 0;
}

int snapshot_write(const struct capture *capture, const char *path, struct error *error)
{
    struct image image = {0};
    int result;
    if (file_is_planted(path))
        result = error_set(error, FILE_PLANTED, path);
    else if (build(&image, capture) != 0)
        result = error_set(error, "out of memory for the snapshot '%s'", path);
    else if (file_write(path, image.bytes, image.size) != 0)
        result = error_set(error, "cannot write '%s': %s", path, strerror(errno));
    else
        result = 0;
    free(image.bytes);
    return result;
}

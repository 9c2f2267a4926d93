/*
 * Reading a snapshot file. It was written whole or not at all, so that anything wrong in it is an
 * error; a region is read with more patience.
 */
#include "tools/source/reader.h"

#include "region/snapshot.h"

#include <stdlib.h>
#include <string.h>

static int check_header(const struct ts_snapshot_header *header, const char *path,
                        struct error *error)
{
    if (header->byte_order == __builtin_bswap32(TS_BYTE_ORDER))
        return error_set(error,
                         "snapshot '%s' has another byte order: read it on a machine like the one"
                         " that wrote it",
                         path);
    if (header->version != TS_SNAPSHOT_VERSION)
        return error_set(error,
                         "snapshot '%s' has format version %u, this tool reads %u: use the"
                         " tracesnap that wrote it",
                         path, header->version, TS_SNAPSHOT_VERSION);
    if (header->byte_order != TS_BYTE_ORDER || header->header_size != sizeof(*header) ||
        header->section_count > TS_SNAPSHOT_SECTIONS_MAX)
        return error_set(error, "snapshot '%s' is damaged: its header makes no sense", path);
    return 0;
}

/* One section into private memory. A section that is not there is empty. */
static int read_section(struct section *section, const struct source_file *file,
                        const struct ts_snapshot_header *header, enum ts_section id,
                        size_t record_size, uint64_t limit, struct error *error)
{
    *section = (struct section){0};
    uint64_t offset = 0, count = 0;
    for (uint32_t i = 0; i < header->section_count; i++) {
        if (header->sections[i].id != (uint32_t)id)
            continue;
        if (header->sections[i].record_size != record_size)
            return error_set(error, "snapshot '%s' is damaged: section %u has records of %u bytes",
                             file->path, (unsigned)id, header->sections[i].record_size);
        offset = header->sections[i].offset;
        count = header->sections[i].count;
        break;
    }
    if (count > limit)
        return error_set(error, "snapshot '%s' is damaged: section %u has %llu records", file->path,
                         (unsigned)id, (unsigned long long)count);
    if (offset > file->size || count > (file->size - offset) / record_size)
        return error_set(error, "snapshot '%s' is truncated: section %u ends behind the file's end",
                         file->path, (unsigned)id);
    section->at = calloc(count + 1, record_size);
    if (section->at == NULL)
        return error_set(error, "out of memory for the snapshot '%s'", file->path);
    section->count = (uint32_t)count;
    if (file_read(file->fd, section->at, count * record_size, offset) != 0) {
        free(section->at);
        section->at = NULL;
        return error_set(error, "snapshot '%s' is truncated: section %u cannot be read", file->path,
                         (unsigned)id);
    }
    return 0;
}

static bool is_known_key(const struct capture *capture, uint64_t key)
{
    switch (ts_key_kind(key)) {
    case TS_FRAME_NATIVE:
        return ts_key_module(key) < capture->module_count &&
               capture->modules[ts_key_module(key)].path[0] != '\0';
    case TS_FRAME_PYTHON:
        return python_key_checked(capture, key) == key;
    case TS_FRAME_UNKNOWN:
        return true;
    case TS_FRAME_MARK:
        return ts_key_offset(key) > TS_MARK_NONE && ts_key_offset(key) < TS_MARK_END;
    default:
        return false;
    }
}

static int copy_nodes(struct capture *capture, const struct section *nodes, const char *path,
                      struct error *error)
{
    const struct ts_node *from = nodes->at;
    capture->nodes = calloc((size_t)nodes->count + 1, sizeof(*capture->nodes));
    uint16_t *depth = calloc((size_t)nodes->count + 1, sizeof(*depth));
    int result = 0;
    if (capture->nodes == NULL || depth == NULL)
        result = error_set(error, "out of memory for the snapshot '%s'", path);
    else
        capture->node_count = nodes->count != 0 ? nodes->count : 1;
    for (uint32_t i = 1; result == 0 && i < nodes->count; i++) {
        if (from[i].parent >= i || !is_known_key(capture, from[i].key) ||
            depth[from[i].parent] >= STACK_DEPTH_MAX) {
            result = error_set(error, "snapshot '%s' is damaged: node %u makes no sense", path, i);
            break;
        }
        depth[i] = (uint16_t)(depth[from[i].parent] + 1);
        capture->nodes[i] = (struct capture_node){.key = from[i].key, .parent = from[i].parent};
    }
    free(depth);
    return result;
}

static int copy_contexts(struct capture *capture, const struct section *contexts, const char *path,
                         struct error *error)
{
    const struct ts_snapshot_context *from = contexts->at;
    capture->contexts = calloc((size_t)contexts->count + 1, sizeof(*capture->contexts));
    if (capture->contexts == NULL)
        return error_set(error, "out of memory for the snapshot '%s'", path);
    for (uint32_t i = 0; i < contexts->count; i++) {
        struct capture_context *to = &capture->contexts[i];
        to->node = from[i].node;
        to->domain = from[i].domain;
        to->values = (struct capture_values){
            .allocated_count = from[i].allocated.count,
            .allocated_size = from[i].allocated.size,
            .freed_count = from[i].freed.count,
            .freed_size = from[i].freed.size,
            .peak_count = from[i].peak.count,
            .peak_size = from[i].peak.size,
            .temporary_count = from[i].temporary,
        };
        if (to->node >= capture->node_count || to->domain >= TS_DOMAIN_COUNT ||
            to->values.freed_count > to->values.allocated_count ||
            to->values.freed_size > to->values.allocated_size ||
            !values_add_checked(&capture->totals, &to->values))
            return error_set(error, "snapshot '%s' is damaged: context %u makes no sense", path, i);
    }
    capture->context_count = contexts->count;
    raise_peak(capture);
    return 0;
}

static int copy_modules(struct capture *capture, const struct section *modules,
                        const struct section *strings, const char *path, struct error *error)
{
    const struct ts_snapshot_module *from = modules->at;
    capture->modules = calloc((size_t)modules->count + 1, sizeof(*capture->modules));
    if (capture->modules == NULL)
        return error_set(error, "out of memory for the snapshot '%s'", path);
    uint32_t left = strings->count; /* no byte is of two paths: a small file takes little memory */
    for (uint32_t i = 0; i < modules->count; i++) {
        struct capture_module *to = &capture->modules[i];
        if (from[i].path_size > left ||
            from[i].path_offset > strings->count - from[i].path_size ||
            from[i].build_id_size > TS_BUILD_ID_MAX)
            return error_set(error, "snapshot '%s' is damaged: module %u makes no sense", path, i);
        to->path = text_copy((const char *)strings->at + from[i].path_offset, from[i].path_size);
        if (to->path == NULL)
            return error_set(error, "out of memory for the snapshot '%s'", path);
        capture->module_count = i + 1;
        left -= from[i].path_size;
        to->base = from[i].base;
        to->size = from[i].size;
        to->build_id_size = from[i].build_id_size;
        memcpy(to->build_id, from[i].build_id, sizeof(to->build_id));
    }
    return 0;
}

static int copy_threads(struct capture *capture, const struct section *threads, const char *path,
                        struct error *error)
{
    const struct ts_snapshot_thread *from = threads->at;
    capture->threads = calloc((size_t)threads->count + 1, sizeof(*capture->threads));
    if (capture->threads == NULL)
        return error_set(error, "out of memory for the snapshot '%s'", path);
    for (uint32_t i = 0; i < threads->count; i++) {
        char *name = text_copy(from[i].name, sizeof(from[i].name));
        if (name == NULL)
            return error_set(error, "out of memory for the snapshot '%s'", path);
        capture->threads[i].tid = from[i].tid;
        capture->threads[i].alive = from[i].alive != 0;
        memcpy(capture->threads[i].name, name, strlen(name));
        free(name);
    }
    capture->thread_count = threads->count;
    return 0;
}

static int copy_timeline(struct capture *capture, struct section *timeline, const char *path,
                         struct error *error)
{
    const struct ts_moment *moment = timeline->at;
    for (uint32_t i = 0; i < timeline->count; i++)
        if (moment[i].time <= (i > 0 ? moment[i - 1].time : 0))
            return error_set(error, "snapshot '%s' is damaged: its times do not grow", path);
    capture->timeline = timeline->at;
    capture->timeline_count = timeline->count;
    timeline->at = NULL;
    return 0;
}

static int read_sections(struct capture *capture, const struct source_file *file,
                         const struct ts_snapshot_header *header, struct error *error)
{
    struct section nodes = {0}, contexts = {0}, modules = {0}, strings = {0}, threads = {0},
                   timeline = {0}, codes = {0}, tables = {0};
    const char *path = file->path;
    int result = -1;
#define READ(section, id, type, limit) \
    (read_section(&(section), file, header, (id), sizeof(type), (limit), error) == 0)
    if (READ(strings, TS_SECTION_STRINGS, char, TS_MODULES_LIMIT *(uint64_t)TS_STRING_MAX) &&
        READ(modules, TS_SECTION_MODULES, struct ts_snapshot_module, TS_MODULES_LIMIT) &&
        copy_modules(capture, &modules, &strings, path, error) == 0 &&
        READ(codes, TS_SECTION_CODES, struct ts_snapshot_code, TS_CODES_LIMIT) &&
        READ(tables, TS_SECTION_TABLES, char, TS_TABLES_LIMIT) &&
        snapshot_codes_copy(capture, &codes, &tables, &strings, path, error) == 0 &&
        READ(nodes, TS_SECTION_NODES, struct ts_node, TS_NODES_LIMIT) &&
        copy_nodes(capture, &nodes, path, error) == 0 &&
        READ(contexts, TS_SECTION_CONTEXTS, struct ts_snapshot_context, TS_CONTEXTS_LIMIT) &&
        copy_contexts(capture, &contexts, path, error) == 0 &&
        READ(threads, TS_SECTION_THREADS, struct ts_snapshot_thread, TS_SHARDS_LIMIT) &&
        copy_threads(capture, &threads, path, error) == 0 &&
        READ(timeline, TS_SECTION_TIMELINE, struct ts_moment, TS_MOMENTS_MAX) &&
        copy_timeline(capture, &timeline, path, error) == 0)
        result = 0;
#undef READ
    free(nodes.at);
    free(contexts.at);
    free(modules.at);
    free(strings.at);
    free(threads.at);
    free(timeline.at);
    free(codes.at);
    free(tables.at);
    return result;
}

static void fill_rest(struct capture *capture, const struct ts_snapshot_header *header)
{
    struct capture_process *process = &capture->process;
    process->taken_at = header->taken_at;
    process->rss = header->rss;
    process->peak_rss = header->peak_rss;
    process->region_size = header->region_size;
    process->alive = header->alive != 0;
    process->paused = header->paused != 0;
    if (header->process.state == TS_STATE_REPLACED)
        process->state = "replaced";
    else if (process->alive)
        process->state = "running";
    else
        process->state = header->process.state == TS_STATE_EXITED ? "exited" : "ended";
    memcpy(capture->drops, header->drops, sizeof(capture->drops));
    memcpy(capture->gauges, header->gauges, sizeof(capture->gauges));
    memcpy(capture->memory, header->memory, sizeof(capture->memory));
}

struct capture *snapshot_read(const struct source_file *file, struct error *error)
{
    struct ts_snapshot_header header;
    /* Version and byte order first: the header of another version may be shorter. */
    if (file_read(file->fd, &header, offsetof(struct ts_snapshot_header, section_count), 0) != 0) {
        error_set(error, "snapshot '%s' is truncated: its header is incomplete", file->path);
        return NULL;
    }
    header.section_count = 0;
    if (check_header(&header, file->path, error) != 0)
        return NULL;
    if (file_read(file->fd, &header, sizeof(header), 0) != 0) {
        error_set(error, "snapshot '%s' is truncated: its header is incomplete", file->path);
        return NULL;
    }
    if (check_header(&header, file->path, error) != 0)
        return NULL;
    struct capture *capture = calloc(1, sizeof(*capture));
    if (capture == NULL || process_fill(&capture->process, &header.process) != 0) {
        error_set(error, "out of memory for the snapshot '%s'", file->path);
        capture_free(capture);
        return NULL;
    }
    fill_rest(capture, &header);
    if (!memory_is_sound(capture->memory)) {
        error_set(error, "snapshot '%s' is damaged: the parts of its memory do not add up",
                  file->path);
        capture_free(capture);
        return NULL;
    }
    if (read_sections(capture, file, &header, error) != 0) {
        capture_free(capture);
        return NULL;
    }
    return capture;
}

/*
 * Reading a region, live or dead, into a capture.
 *
 * Order matters: a context is published before its first count, a node before the context, a module
 * or a code object and its strings before the node. So the counters are read first and each table
 * after what refers to it.
 */
#include "tools/source/reader.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int region_header_check(const struct ts_header *header, const char *path, struct error *error)
{
    if (header->byte_order == __builtin_bswap32(TS_BYTE_ORDER))
        return error_set(error,
                         "region '%s' has another byte order: read it on a machine like the one"
                         " that wrote it",
                         path);
    if (header->version != TS_REGION_VERSION)
        return error_set(error,
                         "region '%s' has format version %u, this tool reads %u: use the tracesnap"
                         " that belongs to the traced library",
                         path, header->version, TS_REGION_VERSION);
    if (header->byte_order != TS_BYTE_ORDER || header->header_size != sizeof(*header) ||
        header->slab_size != TS_SLAB_SIZE || header->slabs_max > TS_SLABS_MAX)
        return error_set(error, "region '%s' is damaged: its header makes no sense", path);
    if (header->ready != 1)
        return error_set(error,
                         "region '%s' is not ready: its process is just starting or died while it"
                         " did, try again",
                         path);
    return 0;
}

static int read_header(struct ts_header *header, const struct source_file *file,
                       struct error *error)
{
    if (file_read(file->fd, header, sizeof(*header), 0) != 0)
        return error_set(error, "region '%s' is truncated: its header is incomplete", file->path);
    return region_header_check(header, file->path, error);
}

static char *read_path(const struct source_file *file, const struct slabs *strings,
                       const struct ts_module *module)
{
    char path[TS_STRING_MAX];
    if (module->state != 1 || module->path_size > TS_STRING_MAX ||
        module->path_size > TS_SLAB_SIZE ||
        module->path_offset > TS_SLAB_SIZE - module->path_size ||
        module->path_slab >= strings->count || strings->number[module->path_slab] == 0)
        return text_copy("", 0);
    if (file_read(file->fd, path, module->path_size,
                  slab_offset(strings, module->path_slab) + module->path_offset) != 0)
        return text_copy("", 0);
    /* A published module without a readable path still is a module: its frames stay apart. */
    char *copy = text_copy(path, module->path_size);
    if (copy != NULL && copy[0] == '\0') {
        free(copy);
        copy = text_copy("<no name>", 9);
    }
    return copy;
}

static int copy_modules(struct capture *capture, const struct source_file *file,
                        const struct records *modules, const struct slabs *strings)
{
    const struct ts_module *from = modules->at;
    uint32_t count = modules->count;
    uint64_t left = (uint64_t)strings->count * TS_SLAB_SIZE; /* no byte is of two paths */
    while (count > 0 && from[count - 1].state == 0)
        count--;
    capture->modules = calloc((size_t)count + 1, sizeof(*capture->modules));
    if (capture->modules == NULL)
        return -1;
    for (; capture->module_count < count; capture->module_count++) {
        const struct ts_module *module = &from[capture->module_count];
        struct capture_module *to = &capture->modules[capture->module_count];
        to->path = module->path_size <= left ? read_path(file, strings, module) : text_copy("", 0);
        if (to->path == NULL)
            return -1;
        left -= module->path_size <= left ? module->path_size : left;
        if (to->path[0] == '\0')
            continue;
        to->base = module->base;
        to->size = module->size;
        if (module->build_id_size <= TS_BUILD_ID_MAX) {
            to->build_id_size = module->build_id_size;
            memcpy(to->build_id, module->build_id, module->build_id_size);
        }
    }
    return 0;
}

static int read_modules(struct capture *capture, const struct source_file *file,
                        struct error *error)
{
    struct records modules;
    struct slabs strings = {0};
    if (records_read(&modules, file, TS_SLAB_MODULES, sizeof(struct ts_module), TS_MODULES_LIMIT,
                     error) != 0)
        return -1;
    int result = slabs_find(&strings, file, TS_SLAB_STRINGS, error);
    if (result == 0 && copy_modules(capture, file, &modules, &strings) != 0)
        result = error_set(error, "out of memory for the modules of '%s'", file->path);
    slabs_free(&strings);
    free(modules.at);
    return result;
}

static int read_threads(struct capture *capture, const struct source_file *file,
                        struct error *error)
{
    struct records shards;
    if (records_read(&shards, file, TS_SLAB_SHARDS, sizeof(struct ts_shard), TS_SHARDS_LIMIT,
                     error) != 0)
        return -1;
    const struct ts_shard *shard = shards.at;
    int result = 0;
    capture->threads = calloc((size_t)shards.count + 1, sizeof(*capture->threads));
    for (uint32_t i = 0; capture->threads != NULL && i < shards.count; i++) {
        char *name = shard[i].tid != 0 ? text_copy(shard[i].name, sizeof(shard[i].name)) : NULL;
        if (name == NULL)
            continue;
        struct capture_thread *thread = &capture->threads[capture->thread_count++];
        thread->tid = shard[i].tid;
        thread->alive = shard[i].owner != 0 && capture->process.alive;
        memcpy(thread->name, name, strlen(name));
        free(name);
    }
    if (capture->threads == NULL)
        result = error_set(error, "out of memory for the threads of '%s'", file->path);
    free(shards.at);
    return result;
}

static int read_timeline(struct capture *capture, const struct source_file *file,
                         struct error *error)
{
    struct records moments;
    if (records_read(&moments, file, TS_SLAB_TIMELINE, sizeof(struct ts_moment), TS_MOMENTS_MAX,
                     error) != 0)
        return -1;
    struct ts_moment *moment = moments.at;
    uint64_t last = 0;
    /* Entries that a writer is just moving are out of order: those whose times grow stay. */
    for (uint32_t i = 0; i < moments.count; i++) {
        if (moment[i].time <= last)
            continue;
        last = moment[i].time;
        moment[capture->timeline_count++] = moment[i];
    }
    capture->timeline = moment;
    return 0;
}

static int read_contexts(struct capture *capture, const struct source_file *file,
                         struct error *error)
{
    struct counters counters;
    struct records contexts = {0}, nodes = {0};
    if (counters_read(&counters, file, error) != 0)
        return -1;
    capture->process.paused = (counters.control & TS_CONTROL_PAUSED) != 0;
    int result = -1;
    if (records_read(&contexts, file, TS_SLAB_CONTEXTS, sizeof(struct ts_context),
                     TS_CONTEXTS_LIMIT, error) == 0 &&
        records_read(&nodes, file, TS_SLAB_NODES, sizeof(struct ts_node), TS_NODES_LIMIT, error) ==
            0 &&
        read_modules(capture, file, error) == 0 && region_codes_read(capture, file, error) == 0)
        result = assemble_contexts(capture, &counters, &contexts, &nodes, error);
    free(counters.values);
    free(contexts.at);
    free(nodes.at);
    return result;
}

static const char *state_name(const struct ts_header *header, const struct source_file *file,
                              uint32_t pid, bool alive)
{
    const struct ts_process *process = &header->process;
    if (process->state == TS_STATE_REPLACED || region_has_successor(file->path, process) ||
        (alive && process_runs_another(process, file->owner, pid)))
        return "replaced";
    if (alive)
        return "running";
    return header->process.state == TS_STATE_EXITED ? "exited" : "ended";
}

static void fill_state(struct capture *capture, const struct ts_header *header,
                       const struct source_file *file, uint32_t pid)
{
    struct capture_process *process = &capture->process;
    struct proc_status status;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    process->taken_at = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    if (pid == 0)
        pid = process_pid_here(&header->process);
    process->alive = pid != 0 && process_is_alive(&header->process, pid, &status);
    process->state = state_name(header, file, pid, process->alive);
    process->region_size = file->space;
    process->pid_here = strcmp(process->state, "running") == 0 ? pid : 0;
    if (process->alive) {
        process->rss = status.rss;
        process->peak_rss = status.peak_rss;
    }
    memcpy(capture->drops, header->drops, sizeof(capture->drops));
    memcpy(capture->gauges, header->gauges, sizeof(capture->gauges));
}

struct capture *region_read(const struct source_file *file, uint32_t proc_pid, struct error *error)
{
    struct ts_header header;
    if (read_header(&header, file, error) != 0)
        return NULL;
    struct capture *capture = calloc(1, sizeof(*capture));
    if (capture == NULL || process_fill(&capture->process, &header.process) != 0) {
        error_set(error, "out of memory for the region '%s'", file->path);
        capture_free(capture);
        return NULL;
    }
    fill_state(capture, &header, file, proc_pid);
    /*
     * The header once more at the end: drops and the end of the process are then as new as the
     * counts.
     */
    if (read_contexts(capture, file, error) != 0 || read_threads(capture, file, error) != 0 ||
        read_timeline(capture, file, error) != 0 || read_header(&header, file, error) != 0) {
        capture_free(capture);
        return NULL;
    }
    capture->process.end_time = header.process.end_time;
    process_fill_python(&capture->process, &header.process);
    fill_state(capture, &header, file, proc_pid);
    return capture;
}

/*
 * The library's side of include/tracesnap.h.
 */
#include "include/tracesnap.h"
#include "region/key.h"
#include "shim/live.h"
#include "shim/process.h"
#include "shim/record.h"
#include "shim/region.h"
#include "shim/system.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

static bool traced(void)
{
    return process_is_tracing();
}

static int change_control(uint64_t (*change)(uint64_t))
{
    if (!traced())
        return -1;
    uint64_t word = ts_load_acquire(&region_header->control);
    while (!ts_cas_acq_rel(&region_header->control, &word, change(word)))
        continue;
    return 0;
}

static uint64_t resumed(uint64_t word)
{
    return word & ~TS_CONTROL_PAUSED;
}

static uint64_t stopped(uint64_t word)
{
    return ts_control_clear(word) | TS_CONTROL_PAUSED;
}

EXPORT int tracesnap_preloaded_start(void)
{
    return change_control(resumed);
}

EXPORT int tracesnap_preloaded_stop(void)
{
    return change_control(stopped);
}

EXPORT int tracesnap_preloaded_is_tracing(void)
{
    return traced() && !(ts_load_acquire(&region_header->control) & TS_CONTROL_PAUSED);
}

EXPORT int tracesnap_preloaded_clear_traces(void)
{
    return change_control(ts_control_clear);
}

/* The total must know this thread's own changes before it is read or reset. */
static void flush_own(void)
{
    struct thread *thread = &thread_self;
    uint32_t busy = thread->busy;
    thread->busy = THREAD_IN_SHIM;
    live_add(thread, ts_load_acquire(&region_header->control), 0, 0);
    live_flush(thread);
    thread->busy = busy;
}

EXPORT int tracesnap_preloaded_reset_peak(void)
{
    if (change_control(ts_control_reset_peak) != 0)
        return -1;
    flush_own();
    return 0;
}

EXPORT int tracesnap_preloaded_get_traced_memory(size_t *current, size_t *peak)
{
    uint64_t size = 0, most = 0;
    if (traced()) {
        flush_own();
        live_get(&size, &most);
    }
    if (current != NULL)
        *current = size;
    if (peak != NULL)
        *peak = most;
    return traced() ? 0 : -1;
}

static const char *object_of(uint64_t key)
{
    if (ts_key_kind(key) != TS_FRAME_NATIVE)
        return "";
    const struct ts_module *module = region_record(TS_SLAB_MODULES, ts_key_module(key), TS_MODULES_PER_SLAB,
                                                   sizeof(struct ts_module));
    const char *strings = module ? region_slab(TS_SLAB_STRINGS, module->path_slab) : NULL;
    return strings ? strings + module->path_offset : "";
}

EXPORT size_t tracesnap_preloaded_get_object_traceback(const void *address, struct tracesnap_frame *frames,
                                                       size_t max)
{
    struct block block;
    size_t count = 0;
    if (!traced() || !index_find(address, &block) ||
        block.generation != TS_CONTROL_GENERATION(region_header->control))
        return 0;
    const struct ts_context *context = region_context(block.context);
    for (uint32_t i = context ? context->node : 0; i != 0 && count < max; count++) {
        const struct ts_node *node = region_node(i);
        frames[count].object = object_of(node->key);
        frames[count].offset = ts_key_offset(node->key);
        i = node->parent;
    }
    return count;
}

/*
 * A snapshot from inside is a copy of the region's file. Everything is copied once, then the allocated pairs of all
 * cells a second time, so that nothing is freed in the copy that was not allocated; if a new peak or a
 * command came meanwhile, all over again.
 */
static bool copy_region(uint8_t *to, uint64_t size)
{
    const uint8_t *from = (const uint8_t *)region_header;
    uint64_t control = ts_load_acquire(&region_header->control);
    const uint32_t *words = (const uint32_t *)(from + TS_SLAB_TABLE_OFFSET);
    uint32_t slabs = (uint32_t)((size - TS_SLABS_OFFSET) / TS_SLAB_SIZE);
    __builtin_memcpy(to, from, TS_HEADER_SIZE);
    for (uint32_t i = 0; i < slabs; i++) {
        uint64_t at = TS_SLABS_OFFSET + (uint64_t)i * TS_SLAB_SIZE;
        uint32_t word = ts_load_acquire(&words[i]);
        __builtin_memcpy(to + TS_SLAB_TABLE_OFFSET + i * sizeof word, &word, sizeof word);
        if (word != 0)
            __builtin_memcpy(to + at, from + at, TS_SLAB_SIZE);
    }
    ts_fence_seq_cst();
    for (uint32_t i = 0; i < slabs; i++) {
        uint64_t at = TS_SLABS_OFFSET + (uint64_t)i * TS_SLAB_SIZE;
        const struct ts_cell *cells = (const struct ts_cell *)(from + at);
        struct ts_cell *copies = (struct ts_cell *)(to + at);
        uint32_t word;
        __builtin_memcpy(&word, to + TS_SLAB_TABLE_OFFSET + i * sizeof word, sizeof word);
        for (uint32_t j = 0; TS_SLAB_KIND(word) == TS_SLAB_CELLS && j < TS_SLAB_SIZE / sizeof *cells; j++)
            copies[j].allocated = ts_pair_load(&cells[j].allocated);
    }
    return ts_load_acquire(&region_header->control) == control;
}

static int write_all(const char *path, const uint8_t *data, uint64_t size)
{
    int fd = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        errno = -fd;
        return -1;
    }
    long wrote = 1;
    for (uint64_t done = 0; done < size; done += (uint64_t)wrote) {
        wrote = sys_write(fd, data + done, size - done);
        if (wrote <= 0)
            break;
    }
    sys_close(fd);
    if (wrote > 0)
        return 0;
    sys_unlink(path);
    errno = wrote == 0 ? ENOSPC : (int)-wrote;
    return -1;
}

EXPORT int tracesnap_preloaded_take_snapshot(const char *path)
{
    if (!traced())
        return -1;
    uint64_t size = region_used();
    uint8_t *copy = memory_map(size, false);
    if (copy == NULL) {
        errno = ENOMEM;
        return -1;
    }
    for (int tries = 0; tries < 16 && !copy_region(copy, size); tries++)
        continue;
    int result = write_all(path, copy, size);
    memory_unmap(copy, size);
    return result;
}

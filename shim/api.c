/*
 * The library's side of include/tracesnap.h.
 */
#include "include/tracesnap.h"
#include "region/key.h"
#include "shim/live.h"
#include "shim/process.h"
#include "shim/python.h"
#include "shim/record.h"
#include "shim/region.h"
#include "shim/sample.h"
#include "shim/snapshot.h"

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
    thread->busy_frame = 0;
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

static const char *file_of(uint64_t key)
{
    const struct ts_code *code = region_record(TS_SLAB_CODES, ts_key_code(key), TS_CODES_PER_SLAB,
                                               sizeof(struct ts_code));
    const char *strings = code != NULL && ts_load_acquire(&code->state) == 1
                              ? region_slab(TS_SLAB_STRINGS, code->file_slab)
                              : NULL;
    return strings != NULL ? strings + code->file_offset : "";
}

static const char *object_of(uint64_t key)
{
    if (ts_key_kind(key) == TS_FRAME_PYTHON)
        return file_of(key);
    if (ts_key_kind(key) != TS_FRAME_NATIVE)
        return "";
    const struct ts_module *module = region_record(TS_SLAB_MODULES, ts_key_module(key),
                                                   TS_MODULES_PER_SLAB, sizeof(struct ts_module));
    const char *strings = module ? region_slab(TS_SLAB_STRINGS, module->path_slab) : NULL;
    return strings ? strings + module->path_offset : "";
}

EXPORT size_t tracesnap_preloaded_get_object_traceback(const void *address,
                                                       struct tracesnap_frame *frames, size_t max)
{
    struct block block;
    size_t count = 0;
    if (!traced() || !index_find(address, &block) ||
        block.generation != TS_CONTROL_GENERATION(region_header->control))
        return 0;
    const struct ts_context *context = region_context(block.context & SAMPLE_CONTEXT_MASK);
    for (uint32_t i = context ? context->node : 0; i != 0 && count < max; count++) {
        const struct ts_node *node = region_node(i);
        frames[count].object = object_of(node->key);
        frames[count].offset = ts_key_kind(node->key) == TS_FRAME_PYTHON
                                   ? ts_key_instruction(node->key)
                                   : ts_key_offset(node->key);
        i = node->parent;
    }
    return count;
}

EXPORT int tracesnap_preloaded_take_snapshot(const char *path)
{
    bool is_traced = traced();
    if (is_traced)
        python_tell_held(&thread_self);
    int result = is_traced ? snapshot_save(path) : -ENOSYS;
    if (result == 0)
        return 0;
    errno = -result;
    return -1;
}

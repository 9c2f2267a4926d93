/*
 * Stacks in a process with a Python interpreter.
 */
#include "shim/capture.h"
#include "shim/contexts.h"
#include "shim/options.h"
#include "shim/python_births.h"
#include "shim/python_known.h"
#include "shim/python_proof.h"
#include "shim/region.h"

/* The native part, up to where stop is; *walked: shard->frames holds it. */
static uint64_t native_path(struct thread *thread, struct shard *shard,
                            const struct walk_start *start, uintptr_t stop, bool *walked)
{
    uint64_t position;
    struct memo_entry *entry = memo_find(&shard->memo, thread, start, stop);
    if (entry != NULL && entry->stop != stop) {
        entry->position = 0;
        entry = NULL;
    }
    *walked = entry == NULL || options.verify;
    shard->frames.stop = stop;
    if (*walked)
        walk_stack(thread, start, &shard->frames);
    uint64_t path = *walked ? shard->frames.path[shard->frames.count - 1].prefix : 0;
    if (entry != NULL) {
        if (*walked && memo_path(&shard->memo, entry) != path)
            region_drop(TS_DROP_VERIFY);
        return memo_path(&shard->memo, entry);
    }
    entry = memo_prepare(&shard->memo, start, &shard->frames, stop, &position);
    if (entry != NULL) {
        entry->stop = stop;
        memo_publish(entry, position);
    }
    return path;
}

/* verify=1: what was taken over of the last capture must be what is there now. */
static uint64_t frames_of(struct python_frames *frames, uintptr_t state)
{
    uint64_t hash = python_frames_read(frames, state);
    uintptr_t newest = options.verify ? python_newest(state) : 0;
    if (newest == 0)
        return hash;
    frames->count = 0;
    if (python_frames_read_any(frames, newest) != hash)
        region_drop(TS_DROP_VERIFY);
    return hash;
}

static struct contexts_path merged(struct shard *shard, uintptr_t state, enum ts_domain domain)
{
    struct contexts_path stack = contexts_path_of(&shard->frames);
    if (state != 0) {
        struct python_path *path = &shard->python.path;
        python_merge(path, &shard->frames, &shard->python.frames, state);
        stack = (struct contexts_path){path->path, path->count, path->kept, domain};
    }
    stack.domain = domain;
    return stack;
}

struct ts_cell *capture_python(struct thread *thread, struct shard *shard,
                               const struct walk_start *start, uint32_t *context)
{
    bool walked;
    enum ts_domain domain = (enum ts_domain)thread->domain;
    if (domain == TS_DOMAIN_LIBC)
        python_look_after();
    uintptr_t state = python_state_of(thread, domain);
    if (state != 0 && ts_load_relaxed(&python.reading) != PYTHON_READING && !python_prove(state))
        state = 0;
    uint64_t python_path = state != 0 ? frames_of(&shard->python.frames, state) : 0;
    uintptr_t stop = state != 0 ? python_stop(shard, state) : 0;
    uint64_t native = native_path(thread, shard, start, stop, &walked);
    uint64_t key = place_key(native, python_path, domain);
    struct python_place *place = place_find(&shard->python, key);
    if (place != NULL) {
        *context = place->context;
        return place->cell;
    }
    if (!walked)
        walk_stack(thread, start, &shard->frames);
    if (state != 0 && domain >= TS_DOMAIN_MEM)
        python_births_look_after();
    *context = contexts_of(merged(shard, state, domain));
    struct ts_cell *cell = capture_cell(shard, context);
    /* After the merge: it may have met code that is new, but not one that died. */
    if (cell != NULL && *context != CONTEXT_CATCH_ALL)
        place_file(&shard->python, key, *context, cell);
    return cell;
}

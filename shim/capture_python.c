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

/* The native part, up to where stop is: its path's hash. *walked: shard->frames holds it. NULL in
 * *memo: it cannot be remembered. */
static uint64_t native_path(struct thread *thread, struct shard *shard,
                            const struct walk_start *start, uintptr_t stop, bool *walked,
                            struct memo_entry **memo)
{
    uint64_t position;
    struct memo_entry *entry = memo_find(&shard->memo, start, stop);
    if (entry != NULL && entry->stop != stop) {
        entry->position = 0;
        entry = NULL;
    }
    *walked = entry == NULL || options.verify;
    *memo = entry;
    shard->frames.stop = stop;
    if (*walked)
        walk_stack(thread, start, &shard->frames);
    uint64_t path = *walked ? shard->frames.path[shard->frames.count - 1].prefix : 0;
    if (entry != NULL) {
        if (*walked && memo_path(&shard->memo, entry) != path)
            region_drop(TS_DROP_VERIFY);
        return memo_path(&shard->memo, entry);
    }
    *memo = entry = memo_prepare(&shard->memo, start, &shard->frames, stop, &position);
    if (entry != NULL) {
        entry->stop = stop;
        memo_publish(entry, position);
    }
    return path;
}

/* verify=1: what was taken over of the last capture must be what is there now. */
static uint64_t frames_of(struct python_frames *frames, uintptr_t state)
{
    uintptr_t newest = python_newest(state);
    uint64_t hash = python_frames_read_any(frames, newest);
    if (!options.verify || newest == 0)
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

/* The place's key and what it needs of its native stack. */
static struct python_place place_of(const struct shard *shard, const struct walk_start *start,
                                    uintptr_t stop, uint64_t native, uint64_t frames,
                                    enum ts_domain domain, const struct memo_entry *memo)
{
    if (memo == NULL)
        return (struct python_place){.key = place_key(native, frames, domain), .sp = PLACE_WALKED};
    uint64_t known = memo_known(&shard->memo, start, stop);
    return (struct python_place){.key = place_key(known, frames, domain),
                                 .sp = start->sp,
                                 .position = memo->position,
                                 .count = memo->count};
}

static struct python_place *find(struct shard *shard, const struct python_place *like)
{
    if (like->sp == PLACE_WALKED)
        return place_find_walked(&shard->python, like->key);
    return place_find(&shard->python, &shard->memo, like->key, like->sp);
}

struct ts_cell *capture_python(struct thread *thread, struct shard *shard,
                               const struct walk_start *start, uint32_t *context)
{
    bool walked;
    struct memo_entry *memo;
    enum ts_domain domain = (enum ts_domain)thread->domain;
    if (domain == TS_DOMAIN_LIBC)
        python_look_after();
    uintptr_t state = python_state_of(thread, domain);
    if (state != 0 && ts_load_relaxed(&python.reading) != PYTHON_READING && !python_prove(state))
        state = 0;
    uint64_t frames = state != 0 ? frames_of(&shard->python.frames, state) : 0;
    uintptr_t stop = python_stop(shard, state);
    uint64_t native = native_path(thread, shard, start, stop, &walked, &memo);
    struct python_place new = place_of(shard, start, stop, native, frames, domain, memo);
    struct python_place *place = find(shard, &new);
    if (place != NULL) {
        *context = place->context;
        return place->cell;
    }
    if (!walked)
        walk_stack(thread, start, &shard->frames);
    if (state != 0 && domain >= TS_DOMAIN_MEM)
        python_births_look_after();
    *context = contexts_of(merged(shard, state, domain));
    new.context = *context;
    new.cell = capture_cell(shard, context);
    /* After the merge: it may have met code that is new, but not one that died. */
    if (new.cell != NULL &&*context != CONTEXT_CATCH_ALL)
        place_file(&shard->python, &new);
    return new.cell;
}

/*
 * The usual case of a capture in a process with a Python interpreter: the Python frames are read,
 * and what stands under their hash and that of how the native stack begins is the place.
 */
#ifndef TRACESNAP_SHIM_PYTHON_KNOWN_H
#define TRACESNAP_SHIM_PYTHON_KNOWN_H

#include "shim/counters.h"
#include "shim/options.h"

/* The thread state whose frames are to be read, or 0. */
PYTHON_INLINE uintptr_t python_state_of(struct thread *thread, enum ts_domain domain)
{
    return likely(ts_load_relaxed(&python.reading) != PYTHON_READING_NOT)
               ? python_state(thread, domain >= TS_DOMAIN_MEM)
               : 0;
}

/* Where the walk is to end, if the native frames further out than the newest Python frame are not
 * wanted. */
PYTHON_INLINE uintptr_t python_stop(const struct shard *shard, uintptr_t state)
{
    return __builtin_expect(options.python == OPTIONS_PYTHON_LINES, 0) && state != 0
               ? python_loop_of(&shard->python.frames, state)
               : 0;
}

/* NULL: something is new, or the usual way is not open. */
PYTHON_INLINE struct python_place *python_known(struct thread *thread, struct shard *shard,
                                                const struct walk_start *start,
                                                enum ts_domain domain)
{
    if (!likely(ts_load_relaxed(&python.reading) == PYTHON_READING))
        return NULL;
    uintptr_t state = python_state(thread, domain >= TS_DOMAIN_MEM), stop = 0;
    uint64_t frames = 0;
    if (likely(state != 0)) {
        frames = python_frames_hash(&shard->python.frames, state);
        stop = python_stop(shard, state);
    }
    uint64_t known = memo_known(&shard->memo, start, stop);
    return place_find(&shard->python, &shard->memo, place_key(known, frames, domain), start->sp);
}

#endif

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

/* Where the walk is to end, if what is further out than the newest Python frame is not wanted. */
PYTHON_INLINE uintptr_t python_stop(uintptr_t anchor)
{
    return __builtin_expect(options.python == OPTIONS_PYTHON_LINES, 0) ? anchor : 0;
}

/* NULL: something is new, or the usual way is not open. */
PYTHON_INLINE struct python_place *python_known(struct thread *thread, struct shard *shard,
                                                const struct walk_start *start,
                                                enum ts_domain domain)
{
    uint32_t reading = ts_load_relaxed(&python.reading);
    uintptr_t state = 0, anchor = 0;
    if (likely(reading == PYTHON_READING))
        state = python_state(thread, domain >= TS_DOMAIN_MEM);
    else if (reading != PYTHON_READING_NOT || options.verify)
        return NULL;
    uint64_t frames = 0, outer;
    if (likely(state != 0))
        frames = python_frames_hash(&shard->python.frames, state, &anchor);
    struct python_place *place = NULL;
    if (likely(outer_known(&shard->python.outer, &shard->frames, anchor, &outer))) {
        uint64_t key = place_key(memo_known(&shard->memo, start), outer, frames, domain);
        place = place_find(&shard->python, &shard->memo.ring, key, start->sp);
    }
    if (!likely(place != NULL)) {
        shard->python.hashed = state != 0;
        shard->python.frames_hash = frames;
    }
    return place;
}

#endif

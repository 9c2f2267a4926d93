/*
 * The usual case of a capture in a process with a Python interpreter: the native stack is
 * remembered as in memo.h, the Python frames are read, and what stands under the hash of both is
 * the place.
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

/* NULL: something is new. */
PYTHON_INLINE struct python_place *python_known(struct thread *thread, struct shard *shard,
                                                const struct walk_start *start,
                                                enum ts_domain domain)
{
    uintptr_t state = python_state_of(thread, domain);
    uint64_t frames = 0;
    if (likely(state != 0)) {
        if (__builtin_expect(ts_load_relaxed(&python.reading) != PYTHON_READING, 0))
            return NULL;
        frames = python_frames_read(&shard->python.frames, state);
    } else if (__builtin_expect(options.verify, 0)) {
        return NULL;
    }
    uintptr_t stop = python_stop(shard, state);
    struct memo_entry *known = memo_find_last(&shard->memo, thread, start, stop);
    if (__builtin_expect(known == NULL, 0))
        known = memo_find(&shard->memo, thread, start, stop);
    if (__builtin_expect(known == NULL || known->stop != stop, 0))
        return NULL;
    return place_find(&shard->python, place_key(memo_path(&shard->memo, known), frames, domain));
}

#endif

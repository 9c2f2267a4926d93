/*
 * libunwind behind the walker's own interface: the step for frames that no rule expresses, and the
 * oracle of verify=1. Loaded at start-up with RTLD_LOCAL, so that its _Unwind_* symbols capture
 * nobody's exceptions.
 */
#ifndef TRACESNAP_SHIM_LIBUNWIND_H
#define TRACESNAP_SHIM_LIBUNWIND_H

#include "shim/walk.h"

/* Loads the libraries that the options ask for. Allocates through the next allocator. */
void libunwind_start(void);

/*
 * Fills fresh[].pc and *count; *lost: no way is known beyond the last of them. False: not loaded,
 * busy in another thread for too long, or lost from the beginning.
 */
bool libunwind_walk(struct thread *thread, const struct walk_start *start,
                    struct walk_frames *frames, uint32_t *count, bool *lost);

/* Unwinds a second time by libunwind's local mode and counts a disagreement with frames. */
void libunwind_verify(const struct walk_start *start, const struct walk_frames *frames);

/* In a forked child: another thread may have been inside, holding libunwind's locks for ever. */
void libunwind_forked(void);

#endif

/*
 * From a stack to the place where its blocks are counted: its context and that context's cell in
 * the thread's shard.
 */
#ifndef TRACESNAP_SHIM_CAPTURE_H
#define TRACESNAP_SHIM_CAPTURE_H

#include "shim/counters.h"

/* The cell of a context, or of the catch-all (which *context then is) where there is no memory for
 * it; NULL where there is not even that. Both counted. */
struct ts_cell *capture_cell(struct shard *shard, uint32_t *context);

/* The context of the stack that begins at start, and its cell; NULL when there is none (counted).
 * Its domain is thread->domain. */
struct ts_cell *capture_any(struct thread *thread, struct shard *shard,
                            const struct walk_start *start, uint32_t *context);

/* The same for a stack that was hardly seen before. */
struct ts_cell *capture_new(struct thread *thread, struct shard *shard,
                            const struct walk_start *start, uint32_t *context);

/* capture_python.c: both, in a process with a Python interpreter, where the usual case
 * (python_known.h) is not at hand. */
struct ts_cell *capture_python(struct thread *thread, struct shard *shard,
                               const struct walk_start *start, uint32_t *context);

#endif

/*
 * From a stack to the place where its blocks are counted.
 */
#include "shim/capture.h"
#include "shim/contexts.h"
#include "shim/options.h"
#include "shim/region.h"

/*
 * The cell of a context, or of the catch-all where there is no memory for it: totals stay exact.
 * NULL where there is not even that.
 */
static __attribute__((noinline)) struct ts_cell *cell_slowly(struct shard *shard, uint32_t *context)
{
    struct ts_cell *cell = shard_add_chunk(shard, *context);
    if (cell != NULL)
        return cell;
    if (*context != CONTEXT_CATCH_ALL) {
        *context = CONTEXT_CATCH_ALL;
        cell = shard_cell(shard, *context);
        if (cell == NULL)
            cell = shard_add_chunk(shard, *context);
    }
    region_drop(cell != NULL ? TS_DROP_CONTEXTS_FULL : TS_DROP_NO_COUNTER);
    return cell;
}

struct ts_cell *capture_cell(struct shard *shard, uint32_t *context)
{
    struct ts_cell *cell = shard_cell(shard, *context);
    return __builtin_expect(cell != NULL, 1) ? cell : cell_slowly(shard, context);
}

/* verify=1: what was remembered must be what a walk finds now. */
static __attribute__((noinline)) void verify(struct thread *thread, struct shard *shard,
                                             const struct walk_start *start,
                                             const struct memo_entry *known)
{
    walk_stack(thread, start, &shard->frames);
    if (!contexts_same(contexts_of(contexts_path_of(&shard->frames)), known->context))
        region_drop(TS_DROP_VERIFY);
}

static struct ts_cell *walk(struct thread *thread, struct shard *shard,
                            const struct walk_start *start, uint32_t *context)
{
    walk_stack(thread, start, &shard->frames);
    contexts_prefetch(contexts_path_of(&shard->frames));
    *context = contexts_of(contexts_path_of(&shard->frames));
    struct ts_cell *cell = capture_cell(shard, context);
    if (cell != NULL && *context != CONTEXT_CATCH_ALL)
        memo_add(&shard->memo, start, &shard->frames, *context, cell);
    python_meet_any();
    return cell;
}

struct ts_cell *capture_new(struct thread *thread, struct shard *shard,
                            const struct walk_start *start, uint32_t *context)
{
    if (__builtin_expect(ts_load_acquire(&python.on), 0))
        return capture_python(thread, shard, start, context);
    return walk(thread, shard, start, context);
}

struct ts_cell *capture_any(struct thread *thread, struct shard *shard,
                            const struct walk_start *start, uint32_t *context)
{
    if (__builtin_expect(ts_load_acquire(&python.on), 0))
        return capture_python(thread, shard, start, context);
    struct memo_entry *known = memo_find(&shard->memo, start);
    if (__builtin_expect(known == NULL, 0))
        return walk(thread, shard, start, context);
    if (__builtin_expect(options.verify, 0))
        verify(thread, shard, start, known);
    *context = known->context;
    return known->cell;
}

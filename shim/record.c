/*
 * The life of one allocation in our books.
 *
 * Order of an allocation: context published, block in the index, cell counted, total. Of a free:
 * block out of the index, cell, total, and only then the next allocator's free: the next owner of
 * the address can never be mistaken for this one.
 */
#include "shim/record.h"
#include "shim/capture.h"
#include "shim/live.h"
#include "shim/options.h"
#include "shim/record_usual.h"
#include "shim/region.h"
#include "shim/sample.h"
#include "shim/threads.h"

/*
 * The cell of a block that goes. Not the catch-all's: it would have freed what it never allocated.
 * Where there is no cell the block stays in the books, and that is counted.
 */
static inline struct ts_cell *cell_of_freed(struct shard *shard, uint32_t context)
{
    struct ts_cell *cell = shard_cell(shard, context);
    if (__builtin_expect(cell == NULL, 0)) {
        cell = shard_add_chunk(shard, context);
        if (cell == NULL)
            region_drop(TS_DROP_NO_COUNTER);
    }
    return cell;
}

/*
 * Functions with a parameter `sampled` exist twice, one for each way of the process: the exact one
 * pays nothing for the other.
 */
#define TWICE static inline __attribute__((always_inline))

/* What a block counts for: itself, or those that it stands for. */
TWICE struct ts_pair worth(const struct block *block, bool sampled)
{
    return sampled ? sample_worth(block) : (struct ts_pair){1, block->size};
}

TWICE void count_freed(struct thread *thread, struct shard *shard, const struct block *block,
                       uint64_t control, bool temporary, bool sampled)
{
    uint32_t context = sampled ? block->context & SAMPLE_CONTEXT_MASK : block->context;
    if (block->generation != TS_CONTROL_GENERATION(control))
        return; /* allocated before a `clear` */
    struct ts_cell *cell = cell_of_freed(shard, context);
    if (cell == NULL)
        return;
    struct ts_pair freed = worth(block, sampled);
    cell_freed(cell, control, freed.count, freed.size, temporary);
    live_add(thread, control, -(int64_t)freed.size, -(int64_t)freed.count);
}

/* A thread's last block is its last allocation only as long as no unsampled one came after it. */
TWICE void set_last(struct thread *thread, const void *address, bool sampled)
{
    thread->last = address;
    if (sampled)
        thread->sample_mark = thread->sample_left;
}

TWICE void allocation(struct thread *thread, const void *address, size_t size,
                      const struct walk_start *start, bool sampled)
{
    struct shard *shard = threads_shard(thread);
    if (shard == NULL)
        return;
    /* After the shard: its cells may know a newer control word than one read before its last owner
     * left it. */
    uint64_t control = ts_load_acquire(&region_header->control);
    if (__builtin_expect((control & TS_CONTROL_PAUSED) != 0, 0)) {
        threads_done(thread, shard);
        return;
    }
    struct block stale, block = {.size = size, .generation = TS_CONTROL_GENERATION(control)};
    /* Who samples has hardly just seen the stack. */
    struct ts_cell *cell = sampled ? capture_new(thread, shard, start, &block.context)
                                   : capture_any(thread, shard, start, &block.context);
    if (sampled)
        block.context |= sample_roundings(thread, size);
    if (cell != NULL && index_insert(shard, address, &block, &stale)) {
        if (__builtin_expect(stale.context != 0, 0))
            count_freed(thread, shard, &stale, control, false, sampled);
        if (sampled) /* also then: the stale block may have been counted as another KiB's */
            sample_enlist(address);
        struct ts_pair allocated = worth(&block, sampled);
        cell_allocated(cell, control, allocated.count, allocated.size);
        set_last(thread, address, sampled);
        live_add(thread, control, (int64_t)allocated.size, (int64_t)allocated.count);
    }
    threads_done(thread, shard);
}

static __attribute__((noinline)) void allocation_slowly(struct thread *thread, const void *address,
                                                        size_t size, const struct walk_start *start)
{
    allocation(thread, address, size, start, false);
}

void record_allocation(struct thread *thread, const void *address, size_t size,
                       const struct walk_start *start)
{
    struct shard *shard = thread->shard;
    if (!likely(ts_load_relaxed(&python.on) == 0))
        return record_python(thread, address, size, start, TS_DOMAIN_LIBC);
    if (!likely(shard != NULL))
        return allocation_slowly(thread, address, size, start);
    uint64_t control = control_known(thread, false);
    if (!likely(control != 0))
        return allocation_slowly(thread, address, size, start);
    struct memo_entry *known = memo_find_last(&shard->memo, start);
    if (!likely(known != NULL && options.verify == 0 && cell_is_current(known->cell, control)))
        return allocation_slowly(thread, address, size, start);
    if (!likely(count_usual(thread, shard, known->cell, &known->context, &known->hint, address,
                            size, control)))
        allocation_slowly(thread, address, size, start);
}

void record_python_slowly(struct thread *thread, const void *address, size_t size,
                          const struct walk_start *start, enum ts_domain domain)
{
    thread->domain = domain;
    allocation_slowly(thread, address, size, start);
    if (thread->shard != NULL) {
        thread->shard->python.hashed = false;
        thread->shard->python.found = NULL;
    }
    thread->domain = TS_DOMAIN_LIBC;
}

/* In a process with a Python interpreter. */
void record_python(struct thread *thread, const void *address, size_t size,
                   const struct walk_start *start, enum ts_domain domain)
{
    if (!likely(python_usual(thread, address, size, start, domain)))
        record_python_slowly(thread, address, size, start, domain);
}

void record_sampled(struct thread *thread, const void *address, size_t size,
                    const struct walk_start *start)
{
    allocation(thread, address, size, start, true);
}

bool record_take(const void *address, struct block *block)
{
    return index_take(address, block, true);
}

bool record_take_sampled(const void *address, struct block *block)
{
    if (!sample_may_know(address) || !record_take(address, block))
        return false;
    sample_delist(address);
    return true;
}

bool record_take_either(const void *address, struct block *block)
{
    return options.sample != 0 ? record_take_sampled(address, block) : record_take(address, block);
}

TWICE void freed(struct thread *thread, const struct block *block, bool temporary, bool sampled)
{
    struct shard *shard = threads_shard(thread);
    if (__builtin_expect(shard == NULL, 0))
        return;
    count_freed(thread, shard, block, ts_load_acquire(&region_header->control), temporary, sampled);
    threads_done(thread, shard);
}

/* Before the index is asked in the slow ways: what is long past must be thrown away first. */
void record_notice(struct thread *thread)
{
    uint64_t control = ts_load_acquire(&region_header->control);
    if (thread->live_reset != LIVE_RESET_PART(control))
        live_noticed(thread, control);
}

__attribute__((noinline)) void record_free_slowly(struct thread *thread, const void *address)
{
    struct block block;
    record_notice(thread);
    bool temporary = thread->last == address;
    if (address ==
        thread->freeing) /* counted by the hook of the Python domain that it comes from */
        return;
    if (index_take(address, &block, true))
        freed(thread, &block, temporary, false);
    if (temporary)
        thread->last = NULL;
}

void record_free(struct thread *thread, const void *address)
{
    uint64_t size;
    if (!likely(free_usual(thread, address, &size)))
        record_free_slowly(thread, address);
}

void record_free_sampled(struct thread *thread, const void *address)
{
    struct block block;
    bool last = thread->last == address;
    record_notice(thread);
    if (!record_take_sampled(address, &block))
        return;
    freed(thread, &block, last && thread->sample_mark == thread->sample_left, true);
    if (last)
        thread->last = NULL;
}

void record_freed(struct thread *thread, const struct block *block)
{
    freed(thread, block, false, false);
}

void record_freed_sampled(struct thread *thread, const struct block *block)
{
    freed(thread, block, false, true);
}

void record_freed_either(struct thread *thread, const struct block *block)
{
    if (options.sample != 0)
        record_freed_sampled(thread, block);
    else
        record_freed(thread, block);
}

void record_put_back(struct thread *thread, const void *address, const struct block *block)
{
    struct block stale;
    struct shard *shard = threads_shard(thread);
    if (shard == NULL || !index_insert(shard, address, block, &stale))
        record_freed_either(thread, block);
    else if (options.sample != 0)
        sample_enlist(address);
    if (shard != NULL)
        threads_done(thread, shard);
}

/* The place is taken before it is filled: another signal may come in between, and puts its own
 * above. */
void record_defer(struct thread *thread, const struct block *block)
{
    uint32_t i = ts_add_relaxed(&thread->deferred_count, 1);
    if (i >= THREAD_DEFERRED_MAX) {
        ts_add_relaxed(&thread->deferred_count, -1u);
        region_drop(TS_DROP_REENTRANT);
        return;
    }
    thread->deferred[i].size = block->size;
    thread->deferred[i].context = block->context;
    thread->deferred[i].generation = block->generation;
}

/*
 * A signal handler may add to the list at any instant, but takes nothing from it: the last entry is
 * copied first, then taken if it still is the last.
 */
void record_deferred(struct thread *thread)
{
    uint32_t count = ts_load_relaxed(&thread->deferred_count);
    while (count > 0) {
        struct block block = {thread->deferred[count - 1].size, thread->deferred[count - 1].context,
                              thread->deferred[count - 1].generation};
        if (ts_cas_acq_rel(&thread->deferred_count, &count, count - 1)) {
            record_freed_either(thread, &block);
            count = ts_load_relaxed(&thread->deferred_count);
        }
    }
}

struct inheritance {
    struct shard *shard;
    uint64_t control, size, count;
};

static void inherit(void *closure, const void *address, const struct block *block)
{
    struct inheritance *inheritance = closure;
    bool sampled = options.sample != 0;
    uint32_t context = sampled ? block->context & SAMPLE_CONTEXT_MASK : block->context;
    (void)address;
    if (block->generation != TS_CONTROL_GENERATION(inheritance->control))
        return;
    struct ts_cell *cell = capture_cell(inheritance->shard, &context);
    if (cell == NULL)
        return;
    struct ts_pair has = worth(block, sampled);
    cell_allocated(cell, inheritance->control, has.count, has.size);
    inheritance->size += has.size;
    inheritance->count += has.count;
}

void record_inherited(struct thread *thread)
{
    struct inheritance inheritance = {.control = region_header->control};
    shards_forked();
    thread->shard = thread->former = NULL;
    thread->ended = false;
    inheritance.shard = threads_begin(thread);
    if (inheritance.shard != NULL)
        index_each(inherit, &inheritance);
    live_forked(thread, inheritance.size, inheritance.count);
}

void record_settle(struct thread *thread)
{
    thread->shard = thread->former = NULL;
    thread->ended = false;
    thread->last = NULL;
    thread->deferred_count = 0;
    thread->live_size = thread->live_count = thread->live_upper = thread->live_lower = 0;
}

/*
 * The usual case of an allocation and of a free, in which nothing has to be made, asked for or
 * told: the stack was seen before, the block's class, too, and the cell is of this generation and
 * epoch. What is not usual is found out before anything was changed, and left to the slow way
 * (record.c).
 *
 * In a header, since the hooks of CPython's domains have it compiled into them.
 */
#ifndef TRACESNAP_SHIM_RECORD_USUAL_H
#define TRACESNAP_SHIM_RECORD_USUAL_H

#include "shim/index.h"
#include "shim/live.h"
#include "shim/options.h"
#include "shim/python_known.h"

#define RECORD_USUAL static inline __attribute__((always_inline))

/*
 * Whether a cell and the thread's part of the live total already know this control word, which is
 * not that of a paused process.
 */
RECORD_USUAL bool is_current(const struct thread *thread, const struct ts_cell *cell,
                             uint64_t control)
{
    return ts_load_relaxed(&cell->stamp) == control &&
           thread->live_reset == LIVE_RESET_PART(control);
}

/* Counts a block whose cell is current. False: its class or its place in the index is not at hand;
 * nothing was changed. */
RECORD_USUAL bool count_usual(struct thread *thread, struct shard *shard, struct ts_cell *cell,
                              uint32_t context, struct class_hint *hint, const void *address,
                              size_t size, uint64_t control)
{
    struct block block = {size, context, TS_CONTROL_GENERATION(control)};
    uint32_t class;
    if (!likely(index_class_known(&block, hint, &class) ||
                (class = index_class_find(&block, hint)) != 0) ||
        !likely(index_try(shard, (uintptr_t)address, &block, class)))
        return false;
    cell_add_allocated(cell, 1, size);
    thread->last = address;
    live_change(thread, (int64_t)size, 1);
    return true;
}

/* In a process with a Python interpreter, where the place is that of both languages. */
RECORD_USUAL bool python_usual(struct thread *thread, const void *address, size_t size,
                               const struct walk_start *start, enum ts_domain domain)
{
    struct shard *shard = thread->shard;
    uint64_t control = ts_load_acquire(&region_header->control);
    if (!likely(shard != NULL))
        return false;
    struct python_place *place = python_known(thread, shard, start, domain);
    return likely(place != NULL && is_current(thread, place->cell, control) &&
                  count_usual(thread, shard, place->cell, place->context, &place->hint, address,
                              size, control));
}

RECORD_USUAL bool free_usual(struct thread *thread, const void *address)
{
    struct shard *shard = thread->shard;
    uint32_t *slot, word = index_word((uintptr_t)address, &slot);
    if (!likely(word != 0 && shard != NULL))
        return false;
    struct block block = shadow_unpack(shadow_get(slot, word));
    struct ts_cell *cell = shard_cell(shard, block.context);
    uint64_t control = ts_load_acquire(&region_header->control) & ~TS_CONTROL_PAUSED;
    if (!likely(cell != NULL && is_current(thread, cell, control) &&
                block.generation == TS_CONTROL_GENERATION(control)))
        return false;
    bool temporary = thread->last == address;
    index_clear(slot, word);
    cell_add_freed(cell, 1, block.size, temporary);
    if (temporary)
        thread->last = NULL;
    live_change(thread, -(int64_t)block.size, -1);
    return true;
}

#endif

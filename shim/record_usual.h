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
 * The control word if the thread and its part of the live total know it already; 0 if not, or if
 * the process is paused. free: blocks go also then.
 */
RECORD_USUAL uint64_t control_known(const struct thread *thread, bool free)
{
    uint64_t control = ts_load_acquire(&region_header->control);
    if (free)
        control &= ~TS_CONTROL_PAUSED;
    return likely(thread->control == control) ? control : 0;
}

RECORD_USUAL bool cell_is_current(const struct ts_cell *cell, uint64_t control)
{
    return likely(ts_load_relaxed(&cell->stamp) == control);
}

/* Files a block in the index where that is easy: no other is in its granules, and it needs no class
 * or that of the block before. */
RECORD_USUAL bool file_usual(struct shard *shard, const uint32_t *context, struct class_hint *hint,
                             const void *address, size_t size, uint64_t control)
{
    uint32_t *slot = shadow_slot((uintptr_t)address);
    if (!likely(slot != NULL && ((uintptr_t)address & 7) == 0))
        return false;
    if (likely(hint->size == size && hint->class != 0)) {
        if (likely(ts_load_relaxed(slot) == 0))
            return index_put_small(shard, slot, (uintptr_t)address, hint->class, control);
    } else if (size >= shadow.wide_from && size < SHADOW_SIZE_LIMIT &&
               likely(index_is_clear(slot, (uintptr_t)address, true))) {
        struct block block = {size, *context, TS_CONTROL_GENERATION(control)};
        return index_put(shard, slot, (uintptr_t)address, &block, 0);
    }
    return index_try(shard, (uintptr_t)address, *context, hint, size, control);
}

/* Counts a block whose cell is current. False: its class or its place in the index is not at hand;
 * nothing was changed. */
RECORD_USUAL bool count_usual(struct thread *thread, struct shard *shard, struct ts_cell *cell,
                              const uint32_t *context, struct class_hint *hint, const void *address,
                              size_t size, uint64_t control)
{
    if (!likely(file_usual(shard, context, hint, address, size, control)))
        return false;
    cell_add_allocated(cell, 1, size);
    thread->last = address;
    live_change(thread, (int64_t)size, 1);
    return true;
}

/* In a process with a Python interpreter, where the place is that of both languages. False:
 * record_python_slowly is to be asked, for which what is known was left. */
RECORD_USUAL bool python_usual(struct thread *thread, const void *address, size_t size,
                               const struct walk_start *start, enum ts_domain domain)
{
    struct shard *shard = thread->shard;
    if (!likely(shard != NULL))
        return false;
    struct python_place *place = python_known(thread, shard, start, domain);
    if (!likely(place != NULL))
        return false;
    uint64_t control = control_known(thread, false);
    if (likely(control != 0) && cell_is_current(place->cell, control) &&
        likely(count_usual(thread, shard, place->cell, &place->context, &place->hint, address, size,
                           control)))
        return true;
    shard->python.found = place;
    return false;
}

/* Where a block is counted, found by its word; NULL: not here. */
RECORD_USUAL struct ts_cell *freed_cell(struct shard *shard, const uint32_t *slot, uint32_t word,
                                        uint64_t control, uint64_t *size)
{
    if (likely((word & SHADOW_WIDE) == 0)) {
        if (!likely((word & SHADOW_ERA_BITS) == shadow_era(control)))
            return NULL;
        const struct class_cell *known = shard_class(shard, word >> SHADOW_CLASS_SHIFT);
        if (!likely(known != NULL))
            return NULL;
        *size = known->size;
        return known->cell;
    }
    struct block block = shadow_unpack(shadow_get(slot, word));
    *size = block.size;
    return block.generation == TS_CONTROL_GENERATION(control) ? shard_cell(shard, block.context)
                                                              : NULL;
}

/* *size: of the block that was freed. */
RECORD_USUAL bool free_usual(struct thread *thread, const void *address, uint64_t *size)
{
    struct shard *shard = thread->shard;
    uint32_t *slot, word = index_word((uintptr_t)address, &slot);
    if (!likely(word != 0))
        return false;
    if (!likely(shard != NULL))
        return false;
    uint64_t control = control_known(thread, true);
    if (!likely(control != 0))
        return false;
    struct ts_cell *cell = freed_cell(shard, slot, word, control, size);
    if (!likely(cell != NULL) || !cell_is_current(cell, control))
        return false;
    bool temporary = thread->last == address;
    index_clear(slot, word);
    cell_add_freed(cell, 1, *size, temporary);
    if (temporary)
        thread->last = NULL;
    live_change(thread, -(int64_t)*size, -1);
    return true;
}

#endif

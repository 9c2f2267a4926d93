/*
 * Counters: one shard per thread, in it one cell per context, written without locked instructions.
 * The protocol of a cell is in region/layout.h (struct ts_cell).
 */
#ifndef TRACESNAP_SHIM_COUNTERS_H
#define TRACESNAP_SHIM_COUNTERS_H

#include "shim/memo.h"
#include "shim/python_place.h"

#define SHARD_PART_BITS 9 /* chunks per part */
#define SHARD_PARTS (TS_CONTEXTS_LIMIT / TS_CHUNK_CELLS >> SHARD_PART_BITS)

/* Written by the shard's thread, by release; read by snapshots, too. */
struct shard_part {
    struct ts_cell *chunks[1 << SHARD_PART_BITS];
};

/* Where blocks of a class that was freed lately are counted. */
struct class_cell {
    struct ts_cell *cell;
    uint32_t class; /* 0 = none */
    uint32_t size;  /* bytes of a block */
};

#define CLASS_CELLS 1024u

/* The private side of a shard. One thread at a time, but for `inserting`. */
struct shard {
    uint32_t number;
    uint32_t inserting; /* 1 while its thread writes to the index (index.h); read by the sweeper */
    const struct thread *holder; /* the thread that has it; NULL = none */
    const struct thread *user;   /* the last one that had it */
    struct ts_shard *record;
    struct shard_part *parts[SHARD_PARTS];
    struct shard_part first;
    struct class_cell class_cells[CLASS_CELLS];
    struct walk_frames frames;
    struct memo memo;
    struct python_shard python;
};

/*
 * Takes a shard for the calling thread: its former one, a free one, or a new one. NULL when there
 * is none (counted).
 */
struct shard *shard_take(struct thread *thread);
void shard_give(struct shard *shard);

/* Nothing of what the shard's thread was walking or reading holds any more. */
void shard_distrust(struct shard *shard);

/* Shards in use now. */
uint32_t shards_active(void);

/* Shards that were ever made, in use or not; the chunk of one that holds a block of contexts, or
 * NULL. */
uint32_t shards_count(void);
struct ts_cell *shard_chunk(uint32_t number, uint32_t block);
uint32_t shards_blocks(void);

/*
 * Moves the stamps of cells of generations long past on, so that they stay past. Their threads may
 * touch them meanwhile.
 */
void shards_forget(void);

/* True when some thread is writing to the index. */
bool shards_any_inserting(void);

/* Copies the name that a thread gave itself; shard of the calling thread. */
void shard_set_name(struct shard *shard, const char *name);

/* In a forked child: all shards are forgotten. */
void shards_forked(void);

/* Makes the cell of a context, and its neighbours; NULL when there is no memory for it. */
struct ts_cell *shard_add_chunk(struct shard *shard, uint32_t context);

/* The cell of a context; NULL when the shard has none yet. */
static inline struct ts_cell *shard_cell(struct shard *shard, uint32_t context)
{
    uint32_t block = context / TS_CHUNK_CELLS;
    struct shard_part *part = shard->parts[block >> SHARD_PART_BITS];
    struct ts_cell *chunk = part ? part->chunks[block & ((1 << SHARD_PART_BITS) - 1)] : NULL;
    return chunk ? chunk + context % TS_CHUNK_CELLS : NULL;
}

/* The cell of a small block's class, which is not 0, looked up; NULL when the shard has none yet.
 */
const struct class_cell *shard_find_class(struct shard *shard, uint32_t class);

static inline const struct class_cell *shard_class(struct shard *shard, uint32_t class)
{
    const struct class_cell *known = &shard->class_cells[class % CLASS_CELLS];
    return __builtin_expect(known->class == class, 1) ? known : shard_find_class(shard, class);
}

/* The writer's first touch of a cell under another control word. */
void cell_refresh(struct ts_cell *cell, uint64_t control);

static inline void cell_prepare(struct ts_cell *cell, uint64_t control)
{
    if (__builtin_expect(ts_load_relaxed(&cell->stamp) != (control & ~TS_CONTROL_PAUSED), 0))
        cell_refresh(cell, control & ~TS_CONTROL_PAUSED);
}

/* Of a cell that was touched under the present control word. */
static inline void cell_add_allocated(struct ts_cell *cell, uint64_t count, uint64_t size)
{
    ts_pair_add(&cell->allocated, (struct ts_pair){count, size});
}

static inline void cell_allocated(struct ts_cell *cell, uint64_t control, uint64_t count,
                                  uint64_t size)
{
    cell_prepare(cell, control);
    cell_add_allocated(cell, count, size);
}

/* As cell_add_allocated. */
static inline void cell_add_freed(struct ts_cell *cell, uint64_t count, uint64_t size,
                                  bool temporary)
{
    ts_pair_add(&cell->freed, (struct ts_pair){count, size});
    if (temporary)
        ts_store_relaxed(&cell->temporary, cell->temporary + count);
}

static inline void cell_freed(struct ts_cell *cell, uint64_t control, uint64_t count, uint64_t size,
                              bool temporary)
{
    cell_prepare(cell, control);
    cell_add_freed(cell, count, size, temporary);
}

#endif

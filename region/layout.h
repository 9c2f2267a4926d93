/*
 * The region: one sparse file per traced process, written by the shim and read by the tool, also
 * after the writer was killed at any instruction. This header is the contract; ARCHITECTURE.md says
 * why.
 *
 *     0            header (struct ts_header), one TS_HEADER_SIZE
 *     16 KiB       slab table: uint32 per slab, kind and ordinal within the kind
 *     272 KiB      slab 0, slab 1, ... of TS_SLAB_SIZE each
 *
 * Everything is found through the slab table: slab number i holds the ordinal-th piece of an array
 * of one kind. Arrays therefore grow without moving, and offsets in the file are the only pointers.
 *
 * The rules that every reader may rely on, and that every writer must keep:
 *  - zero bytes are "nothing here": the file starts as zeros, and a hole reads as zeros;
 *  - a slab's memory is committed before its table word is published (release), so that no access
 *    to it can fault for want of space;
 *  - a record is filled first; the word that publishes it is stored last, with release order;
 *  - a record whose publishing word is still zero is nobody's: its writer may have been killed. It
 *    costs its slot and nothing more; nobody waits for it;
 *  - a published record changes only where its comment says so.
 * And the rule for the reader: trust nothing. Check every number against what it indexes.
 *
 * All integers have the byte order of the machine that wrote them (header field byte_order).
 */
#ifndef TRACESNAP_REGION_LAYOUT_H
#define TRACESNAP_REGION_LAYOUT_H

#include "atomic.h"
#include "counters.h"
#include "key.h"
#include "python.h"

#include <stdint.h>

#define TS_REGION_MAGIC "TSREGION" /* 8 bytes, no terminator */
#define TS_REGION_VERSION 1u
#define TS_BYTE_ORDER UINT32_C(0x01020304)

#define TS_HEADER_SIZE 16384u
#define TS_SLAB_SHIFT 14
#define TS_SLAB_SIZE (1u << TS_SLAB_SHIFT)
#define TS_SLABS_MAX 65536u
#define TS_SLAB_TABLE_OFFSET TS_HEADER_SIZE
#define TS_SLABS_OFFSET (TS_HEADER_SIZE + TS_SLABS_MAX * 4u)
#define TS_REGION_SIZE_MAX (TS_SLABS_OFFSET + (uint64_t)TS_SLABS_MAX * TS_SLAB_SIZE)

/* A word of the slab table: kind in the top byte, ordinal below. 0 = free. Written once, by
 * release. */
#define TS_SLAB_WORD(kind, ordinal) ((uint32_t)(kind) << 24 | (uint32_t)(ordinal))
#define TS_SLAB_KIND(word) ((word) >> 24)
#define TS_SLAB_ORDINAL(word) ((word)&0xffffffu)

enum ts_slab_kind {
    TS_SLAB_FREE = 0,
    TS_SLAB_NODES,    /* struct ts_node */
    TS_SLAB_CONTEXTS, /* struct ts_context */
    TS_SLAB_CELLMAP,  /* uint64, one per chunk of cells: which shard and which contexts */
    TS_SLAB_CELLS,    /* struct ts_cell, in chunks of TS_CHUNK_CELLS */
    TS_SLAB_MODULES,  /* struct ts_module */
    TS_SLAB_STRINGS,  /* bytes; a string never crosses a slab */
    TS_SLAB_SHARDS,   /* struct ts_shard */
    TS_SLAB_TIMELINE, /* struct ts_moment, one slab */
    TS_SLAB_CODES,    /* struct ts_code */
    TS_SLAB_TABLES,   /* bytes of line tables: one may go on in the next slab of the kind */
    TS_SLAB_KIND_COUNT
};

#define TS_NODES_PER_SLAB (TS_SLAB_SIZE / 16u)
#define TS_CONTEXTS_PER_SLAB (TS_SLAB_SIZE / 8u)
#define TS_CELLMAP_PER_SLAB (TS_SLAB_SIZE / 8u)
#define TS_CHUNK_CELLS 64u /* 4 KiB */
#define TS_CHUNKS_PER_SLAB (TS_SLAB_SIZE / 64u / TS_CHUNK_CELLS)
#define TS_MODULES_PER_SLAB (TS_SLAB_SIZE / 128u)
#define TS_SHARDS_PER_SLAB (TS_SLAB_SIZE / 64u)
#define TS_CODES_PER_SLAB (TS_SLAB_SIZE / 64u)
#define TS_MOMENTS_MAX (TS_SLAB_SIZE / 32u)

#define TS_NODES_LIMIT (UINT32_C(1) << 26)
#define TS_CONTEXTS_LIMIT (UINT32_C(1) << 23)
#define TS_SHARDS_LIMIT 4096u
#define TS_MODULES_LIMIT (UINT32_C(1) << 16)
#define TS_CODES_LIMIT (UINT32_C(1) << 20)
#define TS_TABLES_LIMIT (UINT32_C(1) << 28) /* bytes of line tables, all together */
#define TS_TABLE_MAX (UINT32_C(1) << 20)    /* bytes of one */
#define TS_STRING_MAX 4096u /* bytes, terminator not stored */
#define TS_BUILD_ID_MAX 32u
#define TS_DEPTH_MAX 1024u
#define TS_DEPTH_DEFAULT 256u
#define TS_SAMPLE_MAX (UINT64_C(1) << 40) /* bytes per sample */

/*
 * One frame under its caller: the calling-context tree. Node 0 is the root and has no frame. parent
 * is always smaller than the node's own number, so that no chain of parents can be a circle.
 * Writer: the thread that inserts it, once. key is stored last (release); key 0 = not published.
 */
struct ts_node {
    uint64_t key;
    uint32_t parent;
    uint32_t reserved;
};

/*
 * A context: the node of its innermost frame, and who was asked for its blocks. Context numbers
 * start at 1; context 1 is the catch-all. Writer: the thread that inserts it, once, node last
 * (release); node 0 = not published.
 */
struct ts_context {
    uint32_t node;
    uint32_t domain; /* enum ts_domain */
};

/*
 * The counters of one context in one shard: one cache line, one writer (the thread that holds the
 * shard). Live = allocated - freed, summed over the shards; in one shard alone it may be negative,
 * since a block may be freed by another thread.
 *
 * stamp is the control word (below, without the pause bit) that the writer last saw when it touched
 * this cell; it ties the cell to a generation of `clear` and to an epoch of the peak:
 *  - generation older than the control word's: the whole cell counts as zeros;
 *  - epoch older than the control word's: untouched since the peak, so the live values of now ARE
 *    the values at the peak;
 *  - same epoch: `peak` holds allocated - freed as it was when the epoch began, in two's
 *    complement.
 * The writer, on its first touch under a new control word: zeros if the generation changed, stores
 * peak, stores stamp (release), then the new counts. A reader takes stamp (acquire), the pairs, and
 * stamp again; it starts over when stamp changed. It must read `freed` of all cells of a context
 * before `allocated` of any of them: then nothing is seen freed that was not seen allocated.
 * cell.pml is a model of this.
 */
struct ts_cell {
    struct ts_pair allocated;
    struct ts_pair freed;
    uint64_t temporary; /* blocks freed with no other allocation of their thread in between */
    uint64_t stamp;
    struct ts_pair peak;
};

/*
 * A word of TS_SLAB_CELLMAP: chunk number c (its position in the map) holds the cells of shard
 * `shard` for contexts block * TS_CHUNK_CELLS and following. Stored once, by release. 0 = not in
 * use.
 */
#define TS_CELLMAP_WORD(shard, block) ((uint64_t)((shard) + 1) << 32 | (uint32_t)(block))
#define TS_CELLMAP_SHARD(word) ((uint32_t)((word) >> 32) - 1u)
#define TS_CELLMAP_BLOCK(word) ((uint32_t)(word))

/*
 * A mapped executable or library. Slots are filled once and stay, also after dlclose, since
 * contexts refer to them. Writer: the thread that first meets the module. state is stored last
 * (release).
 */
struct ts_module {
    uint64_t base;  /* load bias at the time of discovery: address - ELF virtual address */
    uint64_t size;  /* bytes from the lowest to the end of the highest PT_LOAD */
    uint32_t state; /* 0 = not published, 1 = published */
    uint32_t build_id_size;
    uint8_t build_id[TS_BUILD_ID_MAX];
    uint32_t path_slab; /* ordinal of the TS_SLAB_STRINGS slab */
    uint32_t path_offset;
    uint32_t path_size; /* bytes */
    uint32_t reserved[15];
};

/*
 * A shard: the counters of one thread at a time. Writer: the thread that holds it; `owner` changes
 * by compare-and-swap. name is copied when the thread starts to allocate and again when it ends.
 */
struct ts_shard {
    uint32_t owner; /* tid, 0 = free */
    uint32_t tid;   /* of the last owner */
    char name[16];
    uint32_t threads; /* how many threads have used it */
    uint32_t reserved[9];
};

/*
 * One point of the timeline. Writer: the thread that takes header.timeline_lock by compare-and-swap
 * and never waits for it. A reader keeps those entries whose times grow.
 */
struct ts_moment {
    uint64_t time; /* nanoseconds since header.start_time; 0 = empty */
    uint64_t live_size;
    uint64_t live_count;
    uint64_t rss; /* bytes; 0 = not sampled */
};

/*
 * The control word: the one word that the tool may write, too, always by compare-and-swap on 64
 * bits.
 *
 *      63     62          48 47           40 39                        0
 *     +------+--------------+---------------+--------------------------+
 *     |paused|  generation  |    resets     |          epoch           |
 *     +------+--------------+---------------+--------------------------+
 *
 * paused      1 = allocations are not recorded; frees of recorded blocks still are
 * generation  number of `clear`s; everything recorded under another generation is forgotten
 * resets      number of `reset-peak`s, so that the shim lowers its threshold
 * epoch       number of peaks; each step makes the live values of that instant the peak, for all
 * cells at once Writers: the shim when the live total passes the last peak (epoch), the tool and
 * the API (all).
 */
#define TS_CONTROL_PAUSED (UINT64_C(1) << 63)
#define TS_CONTROL_EPOCH_MASK ((UINT64_C(1) << 40) - 1)
#define TS_CONTROL_RESETS(word) ((unsigned)((word) >> 40) & 0xffu)
#define TS_CONTROL_GENERATION(word) ((unsigned)((word) >> 48) & 0x7fffu)

static inline uint64_t ts_control_next_epoch(uint64_t word)
{
    return (word & ~TS_CONTROL_EPOCH_MASK) | ((word + 1) & TS_CONTROL_EPOCH_MASK);
}

static inline uint64_t ts_control_reset_peak(uint64_t word)
{
    uint64_t resets = (word + (UINT64_C(1) << 40)) & (UINT64_C(0xff) << 40);
    return ts_control_next_epoch((word & ~(UINT64_C(0xff) << 40)) | resets);
}

static inline uint64_t ts_control_clear(uint64_t word)
{
    uint64_t generation = (word + (UINT64_C(1) << 48)) & (UINT64_C(0x7fff) << 48);
    return ts_control_reset_peak((word & ~(UINT64_C(0x7fff) << 48)) | generation);
}

enum ts_state {
    TS_STATE_RUNNING = 0, /* or killed: the reader asks /proc whether the process is alive */
    TS_STATE_EXITED = 1,  /* exit() ran; static destructors may still have freed since */
    TS_STATE_REPLACED = 2 /* another program was exec'ed in the process */
};

/*
 * What is known of the process, in a region and, byte for byte, in a snapshot. Strings are
 * zero-terminated, cut if too long. Written once by the constructor unless the comment says
 * otherwise.
 */
struct ts_process {
    uint32_t pid; /* in the pid namespace of the process */
    uint32_t parent_pid;
    uint32_t uid;
    uint32_t sequence;    /* 0, 1, ...: one more for each exec in the same process */
    uint64_t start_ticks; /* field 22 of /proc/PID/stat */
    uint64_t start_time;  /* when tracing began: wall clock, ns since 1970 UTC */
    uint64_t end_time;    /* when exit() ran; 0 = not yet. Stored before state */
    uint32_t state;       /* enum ts_state, stored last (release) */
    uint32_t page_size;
    uint32_t depth; /* options in force */
    uint32_t follow;
    uint32_t forked; /* 1 = made by fork without exec: it began with its parent's live blocks */
    uint32_t locked; /* 1 = its mapping holds a shared lock on the file (keep.h) */
    uint64_t sample;            /* bytes; 0 = every allocation */
    uint64_t started_monotonic; /* CLOCK_MONOTONIC at start_time, ns */
    char boot_id[40];
    char session[40]; /* given by `run`, so that it finds the children's regions */
    char version[24]; /* of the shim */
    char host[68];
    uint32_t pid_namespace; /* the inode of /proc/self/ns/pid, 0 = not told: pid belongs to it */
    char exe[4096];
    char cmdline[4096]; /* arguments joined by blanks */
    char options[1024]; /* TRACESNAP_OPTIONS as read */
    /* Of the first Python interpreter found, by the thread that finds it. */
    uint32_t python;         /* enum ts_python */
    uint32_t python_version; /* as PY_VERSION_HEX; 0 = not known */
    struct ts_interpreter interpreter;
};

struct ts_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint32_t header_size; /* of this struct */
    uint32_t slab_size;
    uint32_t slabs_max;
    uint32_t ready; /* 1 = the constructor finished; stored last (release) */

    /* Hot, each on a line of its own. Writers: any thread, by atomic read-modify-write. */
    uint64_t control __attribute__((aligned(64)));
    uint32_t node_count
        __attribute__((aligned(64))); /* cursors: numbers handed out, published or not */
    uint32_t context_count;
    uint32_t chunk_count;
    uint32_t module_count;
    uint32_t shard_count;
    uint32_t slab_count;
    uint32_t code_count;
    uint32_t table_bytes;   /* of TS_SLAB_TABLES handed out */
    uint64_t committed;     /* bytes of the file that are backed by memory */
    uint32_t timeline_lock; /* 1 while one thread writes; others pass by */
    uint32_t timeline_count;
    uint64_t timeline_interval; /* ns between points */
    uint64_t drops[TS_DROP_MAX] __attribute__((aligned(64)));
    uint64_t gauges[TS_GAUGE_MAX];

    struct ts_process process __attribute__((aligned(64)));
};

_Static_assert(sizeof(struct ts_node) == 16, "layout");
_Static_assert(sizeof(struct ts_context) == 8, "layout");
_Static_assert(sizeof(struct ts_cell) == 64, "layout");
_Static_assert(sizeof(struct ts_module) == 128, "layout");
_Static_assert(sizeof(struct ts_shard) == 64, "layout");
_Static_assert(sizeof(struct ts_moment) == 32, "layout");
_Static_assert(sizeof(struct ts_code) == 64, "layout");
_Static_assert(sizeof(struct ts_header) <= TS_HEADER_SIZE, "layout");
_Static_assert(TS_DROP_COUNT <= TS_DROP_MAX && TS_GAUGE_COUNT <= TS_GAUGE_MAX, "layout");

#endif

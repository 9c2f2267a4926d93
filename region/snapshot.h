/*
 * The snapshot file (.tsnap): a compact, self-contained copy of a region at one moment.
 *
 *     header (struct ts_snapshot_header)
 *     section 1, section 2, ... in any order, each where the header's table says, 8-byte aligned
 *
 * Written by the tool under another name and renamed when it is complete. The reader trusts nothing
 * in it.
 */
#ifndef TRACESNAP_REGION_SNAPSHOT_H
#define TRACESNAP_REGION_SNAPSHOT_H

#include "layout.h"

#define TS_SNAPSHOT_MAGIC "TSNAPSHT"
#define TS_SNAPSHOT_VERSION 1u
#define TS_SNAPSHOT_SECTIONS_MAX 16u

/*
 * The process's resident memory when the snapshot was taken, in bytes. The order is part of the
 * format: new parts go to the end, up to TS_MEMORY_MAX. X(name, key in JSON, what it is)
 */
#define TS_MEMORY_LIST(X)                                                                          \
    X(RSS, "rss", "all: anonymous + file + shared + tracer_region")                                \
    X(PSS, "pss", "the same, of pages that several processes have each its share")                 \
    X(USS, "uss", "pages that no other process has")                                               \
    X(SWAP, "swap", "swapped out, so not in memory")                                               \
    X(ANONYMOUS, "anonymous", "pages of no file: heap + stacks + mapped + data + tracer_tables")   \
    X(FILE, "file", "pages of mapped files, as the file has them")                                 \
    X(SHARED, "shared", "pages of shared memory: tmpfs, memfd, System V, shared anonymous maps")   \
    X(HEAP, "heap", "[heap]: by brk")                                                              \
    X(STACKS, "stacks", "stacks of threads")                                                       \
    X(MAPPED, "mapped", "other anonymous maps: of malloc, of pymalloc, of anybody")                \
    X(DATA, "data", "pages of mapped files that were written to, or were relocated")               \
    X(TRACER_TABLES, "tracer_tables", "the shim's private tables")                                 \
    X(TRACER_REGION, "tracer_region", "the region's file")                                         \
    X(HUGETLB, "hugetlb", "pages of hugetlbfs, which are in no other figure")

enum ts_memory {
#define X(name, key, meaning) TS_MEMORY_##name,
    TS_MEMORY_LIST(X)
#undef X
        TS_MEMORY_COUNT
};

#define TS_MEMORY_MAX 32

enum ts_section {
    TS_SECTION_NODES = 1, /* struct ts_node, number 0 = root */
    TS_SECTION_CONTEXTS,  /* struct ts_snapshot_context */
    TS_SECTION_MODULES,   /* struct ts_snapshot_module, in the order of the modules' numbers */
    TS_SECTION_THREADS,   /* struct ts_snapshot_thread */
    TS_SECTION_TIMELINE,  /* struct ts_moment */
    TS_SECTION_STRINGS,   /* bytes */
    TS_SECTION_CODES,     /* struct ts_snapshot_code, in the order of the codes' numbers */
    TS_SECTION_TABLES     /* bytes of the codes' line tables */
};

struct ts_snapshot_context {
    uint32_t node;
    uint32_t domain; /* enum ts_domain */
    struct {
        uint64_t count;
        uint64_t size;
    } allocated, freed, peak;
    uint64_t temporary;
};

struct ts_snapshot_module {
    uint64_t base;
    uint64_t size;
    uint32_t path_offset; /* in TS_SECTION_STRINGS */
    uint32_t path_size;
    uint32_t build_id_size;
    uint32_t state; /* 0 = empty slot */
    uint8_t build_id[TS_BUILD_ID_MAX];
};

struct ts_snapshot_code {
    uint32_t state; /* 0 = empty slot */
    uint32_t first_line;
    uint32_t table_kind; /* enum ts_line_table */
    uint32_t table_size;
    uint32_t table_at;    /* in TS_SECTION_TABLES; no byte is of two tables */
    uint32_t file_offset; /* in TS_SECTION_STRINGS; codes may share a text, but no part of one */
    uint32_t file_size;
    uint32_t name_offset;
    uint32_t name_size; /* 0 = unknown */
    uint32_t reserved;
};

struct ts_snapshot_thread {
    uint32_t tid;
    uint32_t alive; /* held its shard when the snapshot was taken */
    char name[16];
};

struct ts_snapshot_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint32_t header_size;
    uint32_t section_count;
    uint64_t taken_at;    /* wall clock, ns since 1970 UTC */
    uint64_t rss;         /* of the process at that moment, bytes; 0 = unknown */
    uint64_t peak_rss;    /* VmHWM, bytes; 0 = unknown */
    uint64_t region_size; /* bytes that the region's file occupied */
    uint32_t alive;       /* the process was running when the snapshot was taken */
    uint32_t paused;      /* allocations were not recorded at that moment */
    uint64_t drops[TS_DROP_MAX];
    uint64_t gauges[TS_GAUGE_MAX];
    uint64_t memory[TS_MEMORY_MAX]; /* all 0: not known */
    struct {
        uint32_t id; /* enum ts_section */
        uint32_t record_size;
        uint64_t offset; /* in the file */
        uint64_t count;  /* records */
    } sections[TS_SNAPSHOT_SECTIONS_MAX];
    struct ts_process process;
};

_Static_assert(sizeof(struct ts_snapshot_context) == 64, "layout");
_Static_assert(sizeof(struct ts_snapshot_module) == 64, "layout");
_Static_assert(sizeof(struct ts_snapshot_code) == 40, "layout");

#endif

/*
 * A capture: the state of one traced process at one moment, checked and in private memory. Whatever
 * it was read from (a live region, a dead one, a snapshot file), it looks like this; model/ knows
 * nothing else.
 *
 * What a reader guarantees: every number is in range of what it indexes; the parent of a node is
 * smaller than the node; strings are terminated and free of control characters; in each context
 * freed <= allocated, count and size; the catch-all and the marks are in the tree like any frame.
 * The code of a Python frame exists, or is number 0, which has no name: a frame of which nothing
 * more is known.
 */
#ifndef TRACESNAP_TOOLS_BASE_CAPTURE_H
#define TRACESNAP_TOOLS_BASE_CAPTURE_H

#include "region/layout.h"
#include "region/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_node {
    uint64_t key; /* region/key.h */
    uint32_t parent;
};

struct capture_values {
    uint64_t allocated_count, allocated_size;
    uint64_t freed_count, freed_size;
    uint64_t peak_count, peak_size; /* live at the process's peak */
    uint64_t temporary_count;
};

/* Several contexts may have the same path (a race of two inserts): whoever groups, merges them. */
struct capture_context {
    uint32_t node;   /* of the innermost frame */
    uint32_t domain; /* enum ts_domain */
    struct capture_values values;
};

struct capture_module {
    char *path; /* "" = an empty slot */
    uint64_t base, size;
    uint8_t build_id[TS_BUILD_ID_MAX];
    uint32_t build_id_size; /* 0 = the module has none */
};

/* A code object of Python; texts belong to the capture's pool. */
struct capture_code {
    const char *file; /* NULL = an empty slot: none of the rest is known either */
    const char *name; /* NULL = unknown */
    uint32_t first_line;
    uint32_t table_kind; /* enum ts_line_table */
    uint32_t table_at;   /* in the capture's tables; no byte is of two codes */
    uint32_t table_size; /* 0 = no lines */
};

struct capture_thread {
    uint32_t tid;
    bool alive;
    char name[17];
};

struct capture_process {
    uint32_t pid, parent_pid, uid, sequence;
    uint64_t start_ticks;
    uint64_t start_time, end_time; /* ns since 1970; end 0 = none */
    uint64_t taken_at;             /* ns since 1970; of a live region: now */
    const char
        *state; /* "running"; "exited": by exit(); "ended": without it; "replaced": by exec */
    bool alive; /* the process existed when this was taken */
    uint32_t depth;
    bool forked; /* began with its parent's live blocks */
    bool paused;
    uint64_t sample;
    uint64_t rss, peak_rss; /* bytes, 0 = unknown */
    uint64_t region_size;   /* bytes that the region occupied */
    uint32_t pid_here;      /* of the live process in /proc; 0 = it is gone, or this is a snapshot */
    char *exe, *cmdline, *host, *options, *session, *version, *boot_id;
    uint32_t python;         /* enum ts_python */
    uint32_t python_version; /* as PY_VERSION_HEX; 0 = not known */
    struct ts_interpreter interpreter;
};

struct capture {
    struct capture_process process;
    struct capture_node *nodes; /* [0] is the root, key 0 */
    uint32_t node_count;
    struct capture_context *contexts;
    uint32_t context_count;
    struct capture_module *modules; /* by the module number of a frame key */
    uint32_t module_count;
    struct capture_code *codes; /* by the code number of a frame key; [0] is empty */
    uint32_t code_count;        /* of a capture that was read at least 1 */
    uint8_t *tables;            /* the codes' line tables */
    uint32_t tables_size;
    struct strpool *texts;
    struct capture_thread *threads;
    uint32_t thread_count;
    struct ts_moment *timeline; /* times grow */
    uint32_t timeline_count;
    struct capture_values totals; /* sums over the contexts */
    uint64_t drops[TS_DROP_COUNT];
    uint64_t gauges[TS_GAUGE_COUNT];
    uint64_t memory[TS_MEMORY_COUNT]; /* all 0 = not known; else parts add up to their sums */
};

/* Frees a capture and all that it points to; NULL is allowed. */
void capture_free(struct capture *capture);

#endif

/*
 * What is said of a Python interpreter in the traced process: whether there are Python lines, whose
 * a block is, code objects, the interpreter's own state. Part of the contract (layout.h).
 */
#ifndef TRACESNAP_REGION_PYTHON_H
#define TRACESNAP_REGION_PYTHON_H

#include <stdint.h>

/*
 * Who was asked for a block: the C library, or one of CPython's allocator domains ("Memory
 * Management" in its C API). The numbers are part of the format. X(name, text)
 */
#define TS_DOMAIN_LIST(X)                                                                          \
    X(LIBC, "libc")                                                                                \
    X(RAW, "raw")                                                                                  \
    X(MEM, "mem")                                                                                  \
    X(OBJ, "obj")

enum ts_domain {
#define X(name, text) TS_DOMAIN_##name,
    TS_DOMAIN_LIST(X)
#undef X
        TS_DOMAIN_COUNT
};

/*
 * Whether there are Python lines, and if not, why: ts_process.python. X(name, key in JSON, what a
 * report says; "" = nothing)
 */
#define TS_PYTHON_LIST(X)                                                                          \
    X(NONE, "none", "")                                                                            \
    X(TRACED, "traced", "")                                                                        \
    X(VERSION, "unknown_version", "this version of the interpreter is not known")                  \
    X(FREE_THREADED, "free_threaded", "the interpreter is a free-threaded build")                  \
    X(SYMBOLS, "no_symbols", "the interpreter's functions have no symbols")                        \
    X(LAYOUT, "unknown_layout", "the interpreter's structures are not those of its version")       \
    X(ALLOCATORS, "too_many_allocators",                                                           \
      "the program set more allocators than can be hooked: blocks of the last may be missing")

enum ts_python {
#define X(name, key, text) TS_PYTHON_##name,
    TS_PYTHON_LIST(X)
#undef X
        TS_PYTHON_COUNT
};

/* How a code object's line table is read (CPython's Objects/lnotab_notes.txt and
 * Objects/locations.md). */
enum ts_line_table {
    TS_LINES_NONE = 0,
    TS_LINES_LNOTAB = 1,    /* 3.9: co_lnotab */
    TS_LINES_LINETABLE = 2, /* 3.10: co_linetable */
    TS_LINES_LOCATIONS = 3  /* 3.11 and later */
};

/*
 * A code object, copied when a frame of it was first met. Slots are filled once and stay: equal
 * code objects share one, also when the first has died. Numbers start at 1. Writer: the thread that
 * first meets it; state is stored last (release).
 */
struct ts_code {
    uint32_t state; /* 0 = not published, 1 = published */
    uint32_t first_line;
    uint32_t table_kind; /* enum ts_line_table */
    uint32_t table_size; /* bytes */
    uint64_t table_at;   /* position in the bytes of all TS_SLAB_TABLES slabs, in their order */
    uint32_t file_slab;  /* co_filename: ordinal of the TS_SLAB_STRINGS slab, UTF-8 */
    uint32_t file_offset;
    uint32_t file_size; /* bytes */
    uint32_t name_slab; /* co_qualname; before 3.11 co_name */
    uint32_t name_offset;
    uint32_t name_size;
    uint32_t reserved[4];
};

#define TS_GC_GENERATIONS 3u

/*
 * The main interpreter's own state: what gc.isenabled(), gc.get_threshold(), gc.get_count() and
 * gc.get_stats() say. Written now and then by a thread that holds the interpreter's lock; a reader
 * may see some of before and some of after. threshold and count may be negative (two's complement).
 */
struct ts_interpreter {
    uint64_t time;        /* when gc_... was copied: ns since ts_process.start_time; 0 = never */
    uint64_t arena_bytes; /* of pymalloc's arenas, now; 0 = not known */
    uint32_t gc_known;    /* 1 = the fields below are */
    uint32_t gc_enabled;
    struct {
        uint64_t threshold, count, collections, collected, uncollectable;
    } generations[TS_GC_GENERATIONS];
    uint64_t reserved[4];
};

#endif

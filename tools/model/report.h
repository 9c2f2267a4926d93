/*
 * The report: captures grouped, filtered, sorted and, for two of them, compared. Built once,
 * immutable afterwards, rendered many ways. Semantics are tracemalloc's where it has them; the
 * comments name the differences.
 */
#ifndef TRACESNAP_TOOLS_MODEL_REPORT_H
#define TRACESNAP_TOOLS_MODEL_REPORT_H

#include "tools/base/capture.h"
#include "tools/base/message.h"
#include "tools/symbol/symbol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_group {
    GROUP_LINE,
    GROUP_FUNCTION,
    GROUP_FILE,
    GROUP_OBJECT,
    GROUP_STACK,
    GROUP_DOMAIN
};
enum report_sort { SORT_SIZE, SORT_COUNT, SORT_PEAK, SORT_ALLOCATED, SORT_TEMPORARY };

/* Which frame of its stack a block is charged to. */
enum report_attribute {
    ATTRIBUTE_USER,   /* as PYTHON where there is a Python frame, else as NATIVE */
    ATTRIBUTE_NATIVE, /* the innermost native frame of the user's own code (user_code.c) */
    ATTRIBUTE_LEAF,   /* the innermost frame as it is */
    ATTRIBUTE_PYTHON  /* the innermost Python frame; without any <unknown>:0, as tracemalloc */
};

/* What the domains are called, by enum ts_domain; NULL-terminated. */
extern const char *const report_domains[];

/* --filter / --exclude GLOB[:LINE]: fnmatch on the file's name (the object's, where a frame has no
 * file). */
struct report_filter {
    bool inclusive;
    const char *glob;
    uint32_t line; /* 0 = any */
};

struct report_options {
    enum report_group group;
    enum report_sort sort;
    enum report_attribute attribute;
    /* not with GROUP_STACK: report_build refuses, as tracemalloc does; nor with GROUP_DOMAIN */
    bool cumulative;
    unsigned domains; /* only blocks of these: a bit for each enum ts_domain; 0 = of all */
    bool split_domains; /* GROUP_STACK: blocks of several domains are several rows */
    bool all_frames; /* filters test all frames of a stack, not only the attributed one */
    const struct report_filter *filters;
    size_t filter_count;
    /*
     * GROUP_STACK: only the first so many rows get their frames, the others have frame_count 0;
     * 0 = all. Who shows ten stacks of a hundred thousand needs no gigabyte for the rest.
     */
    size_t frames_top;
};

enum report_kind { KIND_NATIVE, KIND_PYTHON };

struct report_frame {
    const char *function; /* of Python the qualified name; NULL = unknown */
    const char *file;     /* NULL = unknown: object and offset say what is known */
    uint32_t line;        /* 0 = unknown */
    const char *object;   /* the module's path, a Python file's package; NULL for marks and unknown
                             code */
    uint64_t offset;      /* ELF virtual address within the object; 0 of Python */
    bool inlined;
    enum report_kind kind;
};

/* What the blocks of one domain have of a row's figures; the shares add up to the row. */
struct report_share {
    uint64_t size, count; /* live */
    uint64_t peak_size, allocated_size;
};

struct report_row {
    /*
     * What the row stands for, as much as the grouping leaves: line = file, line, and function,
     * object of its biggest contributor; function = function, file, object; file = file; object =
     * object; stack = the attributed frame's. `label` is what text shows before the colon:
     * "file:line", the function's name, "object+0x1a2b", "<unknown code>", ...
     */
    const char *label;
    struct report_frame place;
    /*
     * GROUP_LINE, where neither line nor function are known (a stripped file): the nearest function
     * further out in the stack that holds most there; else NULL.
     */
    const char *called_from;
    const struct report_frame *frames; /* GROUP_STACK only: innermost first */
    size_t frame_count;
    /*
     * The domains of the row's blocks (enum ts_domain), what has most of the sort key first: of the
     * blocks that were live at the peak for SORT_PEAK, for SORT_ALLOCATED and SORT_TEMPORARY of
     * all, else of those that are live; where there are none, of all. At least one.
     */
    unsigned domain_count;
    unsigned domains[TS_DOMAIN_COUNT];
    struct report_share shares[TS_DOMAIN_COUNT]; /* by enum ts_domain */
    struct capture_values values;     /* new side of a difference */
    struct capture_values old_values; /* zeros without a difference */
    uint64_t size, count;             /* live: allocated - freed */
    int64_t size_diff, count_diff;    /* 0 without a difference */
};

struct report {
    struct report_options options;
    bool is_diff;
    bool has_domains; /* not all is libc's: a process with Python */
    const struct capture *capture;            /* the (newer) capture; must outlive the report */
    const struct capture *old;                /* NULL without a difference */
    struct capture_values totals, old_totals; /* after filters, each context counted once */
    size_t context_count;                     /* contexts that passed the filters */
    struct report_row *rows;                  /* sorted, all of them: renderers stop at --top */
    size_t row_count;
    void *arena; /* owns the strings */
};

/*
 * Order of rows, descending: by the sort key, then as tracemalloc: (size, count, place) for one
 * capture,
 * (|size_diff|, size, |count_diff|, count, place) for a difference; places compare as
 * (file by code point, line), of stacks oldest frame first.
 *
 * `old` NULL = statistics of `capture`; else the comparison old -> capture, each with a symbolizer
 * of its own (both may be the same one). NULL and *error on failure.
 */
struct report *report_build(const struct capture *capture, struct symbolizer *symbolizer,
                            const struct capture *old, struct symbolizer *old_symbolizer,
                            const struct report_options *options, struct error *error);
void report_free(struct report *report);

/* Size as tracemalloc prints it ("1547 KiB", "+10.0 KiB" when with_sign); buffer of 32 bytes. */
const char *format_size(char *buffer, int64_t size, bool with_sign);

#endif

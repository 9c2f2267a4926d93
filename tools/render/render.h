/*
 * Renderers: a report in, bytes out. A report is built once, by the model; a renderer only reads
 * it, so that the same figures stand in every format. A new export format is one file and one line
 * in EXPORT_FORMATS.
 */
#ifndef TRACESNAP_TOOLS_RENDER_RENDER_H
#define TRACESNAP_TOOLS_RENDER_RENDER_H

#include "tools/base/message.h"
#include "tools/model/report.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct render_options {
    bool color;
    uint64_t top; /* rows to show; 0 = all */
};

/* Statistics or a difference, for people and for programs (tracesnap-json(5)). */
void render_text(const struct report *report, const struct render_options *options, FILE *out);
void render_json(const struct report *report, const struct render_options *options, FILE *out);

/*
 * Rows that say something of what they are sorted by: at the end of every report by size are rows
 * of which nothing is live any more. tracemalloc has no such rows, and none is shown.
 */
size_t render_row_count(const struct report *report);

/* What `run` prints when its program has ended; the report is sorted by peak. */
struct run_result {
    int status;                /* as run returns it */
    int signal;                /* that killed the program, or 0 */
    uint64_t elapsed;          /* ns */
    const char *source;        /* where to read more */
    size_t children;           /* other regions or snapshots of the session */
    const char *children_hint; /* where to find them */
};
void render_run_text(const struct report *report, const struct run_result *result,
                     const struct render_options *options, FILE *out);
void render_run_json(const struct report *report, const struct run_result *result,
                     const struct render_options *options, FILE *out);

/* The words of enum report_group and enum report_sort, as options and in JSON; NULL-terminated. */
extern const char *const render_groups[];
extern const char *const render_sorts[];

/* Export formats get a report by stack with all its rows. X(name, what it is) */
#define EXPORT_FORMATS(X) X(json, "the whole capture, symbolised (tracesnap-json(5))")

struct export_format {
    const char *name;
    void (*write)(const struct report *report, FILE *out);
};

#define X(name, help) void export_##name(const struct report *report, FILE *out);
EXPORT_FORMATS(X)
#undef X

#endif

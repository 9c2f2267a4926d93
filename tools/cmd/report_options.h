/*
 * What stats, diff, export and run have in common: the options that choose and arrange, and the way
 * from a source's name to a report.
 */
#ifndef TRACESNAP_TOOLS_CMD_REPORT_OPTIONS_H
#define TRACESNAP_TOOLS_CMD_REPORT_OPTIONS_H

#include "tools/cmd/options.h"
#include "tools/model/report.h"
#include "tools/render/render.h"

struct filter_options {
    struct option_list filter, exclude;
    bool all_frames;
    unsigned domains;   /* a bit for each enum ts_domain; 0 = all */
    unsigned attribute; /* enum report_attribute */
    const char *sysroot;
};

struct view_options {
    unsigned group; /* enum report_group */
    unsigned sort;  /* enum report_sort */
    bool cumulative;
    uint64_t top;
    bool no_pager;
};

#define FILTER_SPEC_COUNT 6
#define VIEW_SPEC_COUNT 5
extern const struct option_spec filter_specs[FILTER_SPEC_COUNT];
extern const struct option_spec view_specs[VIEW_SPEC_COUNT];

/* What every SOURCE operand may be, for --help. */
#define SOURCE_TEXT "SOURCE is a PID, a snapshot file or a region file.\n"

/* A source with its symbols. */
struct subject {
    struct capture *capture;
    struct symbolizer *symbolizer;
    char process_root[64];
};

/* 0, or 2 after an error was printed. */
int subject_open(struct subject *subject, const char *name, const char *sysroot);
void subject_close(struct subject *subject);

/*
 * The report of `subject`, compared with `old` unless that is NULL; shows progress. NULL after an
 * error was printed.
 */
struct report *subject_report(const struct subject *subject, const struct subject *old,
                              const struct report_options *options);

/* `view` may be NULL: by stack, by size. Release with report_options_release. 0, or 2 after an
 * error. */
int report_options_read(struct report_options *options, const struct filter_options *filter,
                        const struct view_options *view);
void report_options_release(struct report_options *options);

struct render_options render_options_read(const struct common_options *common, uint64_t top,
                                          FILE *out);

#endif

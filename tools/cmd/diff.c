/*
 * tracesnap diff: what has grown between two sources.
 */
#include "tools/cmd/commands.h"
#include "tools/cmd/report_options.h"
#include "tools/render/output.h"

struct diff_values {
    struct common_options common;
    struct view_options view;
    struct filter_options filter;
};

static const struct option_group diff_groups[] = {
    {"What to show", view_specs, VIEW_SPEC_COUNT, offsetof(struct diff_values, view)},
    {"Which blocks", filter_specs, FILTER_SPEC_COUNT, offsetof(struct diff_values, filter)},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static int show(const struct diff_values *values, const struct report_options *options,
                const struct subject *old, const struct subject *new)
{
    struct report *report = subject_report(new, old, options);
    struct render_options render = render_options_read(&values->common, values->view.top, stdout);
    if (!report)
        return 2;
    if (values->common.json)
        render_json(report, &render, stdout);
    else {
        if (!values->view.no_pager)
            output_page();
        render_text(report, &render, stdout);
    }
    report_free(report);
    return 0;
}

static int diff_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command;
    (void)count;
    const struct diff_values *values = all;
    struct report_options options;
    struct subject old, new;
    int status = 2;
    if (report_options_read(&options, &values->filter, &values->view) != 0)
        return 2;
    if (subject_open(&new, operands[1], values->filter.sysroot) == 0) {
        if (subject_open(&old, operands[0], values->filter.sysroot) == 0) {
            status = show(values, &options, &old, &new);
            /* First the symbols, which both may have used, then the captures. */
            subject_close(&old);
        }
        subject_close(&new);
    }
    report_options_release(&options);
    return status;
}

const struct command diff_command = {
    .name = "diff",
    .usage = "OLD NEW",
    .summary = "Show what has grown and what has shrunk between two sources",
    .text = "OLD and NEW are each a PID, a snapshot file or a region file.\n",
    .groups = diff_groups,
    .values_size = sizeof(struct diff_values),
    .min_operands = 2,
    .max_operands = 2,
    .run = diff_run,
};

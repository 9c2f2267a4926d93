/*
 * tracesnap stats: what holds the memory of one source.
 */
#include "tools/cmd/commands.h"
#include "tools/cmd/report_options.h"
#include "tools/render/output.h"

struct stats_values {
    struct common_options common;
    struct view_options view;
    struct filter_options filter;
};

static const struct option_group stats_groups[] = {
    {"What to show", view_specs, VIEW_SPEC_COUNT, offsetof(struct stats_values, view)},
    {"Which blocks", filter_specs, FILTER_SPEC_COUNT, offsetof(struct stats_values, filter)},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static int stats_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command;
    (void)count;
    const struct stats_values *values = all;
    struct report_options options;
    struct subject subject;
    if (report_options_read(&options, &values->filter, &values->view) != 0)
        return 2;
    if (subject_open(&subject, operands[0], values->filter.sysroot) != 0) {
        report_options_release(&options);
        return 2;
    }
    struct report *report = subject_report(&subject, NULL, &options);
    struct render_options render = render_options_read(&values->common, values->view.top, stdout);
    if (report && values->common.json)
        render_json(report, &render, stdout);
    else if (report) {
        if (!values->view.no_pager)
            output_page();
        render_text(report, &render, stdout);
    }
    int status = report ? 0 : 2;
    report_free(report);
    subject_close(&subject);
    report_options_release(&options);
    return status;
}

const struct command stats_command = {
    .name = "stats",
    .usage = "SOURCE",
    .summary = "Show what holds the most memory",
    .text = SOURCE_TEXT,
    .groups = stats_groups,
    .values_size = sizeof(struct stats_values),
    .min_operands = 1,
    .max_operands = 1,
    .run = stats_run,
};

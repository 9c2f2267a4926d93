/*
 * tracesnap export: a source in a format for other programs.
 */
#include "tools/cmd/commands.h"
#include "tools/cmd/report_options.h"

struct export_values {
    struct common_options common;
    unsigned format; /* position in formats */
    struct filter_options filter;
};

static const struct export_format formats[] = {
#define X(name, help) {#name, export_##name},
    EXPORT_FORMATS(X)
#undef X
};

static const char *const format_names[] = {
#define X(name, help) #name,
    EXPORT_FORMATS(X)
#undef X
        NULL,
};

static const struct option_spec export_specs[] = {
    {.name = "format",
     .letter = 'f',
     .type = OPTION_CHOICE,
     .argument = "FORMAT",
     .initial = "json",
     .help = "what to write, see the list above",
     .offset = offsetof(struct export_values, format),
     .choices = format_names},
};

static const struct option_group export_groups[] = {
    {"What to write", export_specs, OPTION_COUNT(export_specs), 0},
    {"Which blocks", filter_specs, FILTER_SPEC_COUNT, offsetof(struct export_values, filter)},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static int export_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command;
    (void)count;
    const struct export_values *values = all;
    struct report_options options;
    struct subject subject;
    int status = 0;
    if (report_options_read(&options, &values->filter, NULL) != 0)
        return 2;
    if (subject_open(&subject, operands[0], values->filter.sysroot) != 0) {
        report_options_release(&options);
        return 2;
    }
    struct report *report = subject_report(&subject, NULL, &options);
    if (report)
        formats[values->format].write(report, stdout);
    else
        status = 2;
    report_free(report);
    subject_close(&subject);
    report_options_release(&options);
    return status;
}

#define X(name, help) "  " #name "  " help "\n"
const struct command export_command = {
    .name = "export",
    .usage = "SOURCE",
    .summary = "Write all of a source in a format for other programs",
    .text = SOURCE_TEXT "\nFormats:\n" EXPORT_FORMATS(X),
    .groups = export_groups,
    .values_size = sizeof(struct export_values),
    .min_operands = 1,
    .max_operands = 1,
    .run = export_run,
};
#undef X

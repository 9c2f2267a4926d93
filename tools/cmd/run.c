/*
 * tracesnap run: traces a program, passes its status on, and says what held most at its peak.
 */
#include "region/layout.h"
#include "region/name.h"
#include "tools/base/message.h"
#include "tools/cmd/commands.h"
#include "tools/cmd/launch.h"
#include "tools/cmd/library.h"
#include "tools/cmd/output_path.h"
#include "tools/cmd/report_options.h"
#include "tools/cmd/session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define OWN_FAILURE 125

struct run_values {
    struct common_options common;
    const char *output;
    uint64_t depth;  /* 0 = the shim's own choice */
    uint64_t sample; /* bytes; 0 = every allocation */
    bool paused;
    bool no_follow;
    bool quiet;
    uint64_t top;
};

static const struct option_spec run_specs[] = {
    {.name = "output",
     .letter = 'o',
     .type = OPTION_STRING,
     .argument = "FILE",
     .help = "save a snapshot at the end, however it ends; %p is the pid",
     .offset = offsetof(struct run_values, output)},
    {.name = "depth",
     .type = OPTION_NUMBER,
     .argument = "N",
     .help = "keep the N innermost frames of a stack (256)",
     .offset = offsetof(struct run_values, depth),
     .min = 1,
     .max = TS_DEPTH_MAX},
    {.name = "sample",
     .type = OPTION_SIZE,
     .argument = "SIZE",
     .help = "record one allocation per SIZE bytes: cheaper, estimates",
     .offset = offsetof(struct run_values, sample),
     .min = 1,
     .max = TS_SAMPLE_MAX},
    {.name = "paused",
     .type = OPTION_FLAG,
     .help = "record nothing until 'tracesnap resume'",
     .offset = offsetof(struct run_values, paused)},
    {.name = "no-follow",
     .type = OPTION_FLAG,
     .help = "do not trace the programs that CMD starts",
     .offset = offsetof(struct run_values, no_follow)},
    {.name = "quiet",
     .letter = 'q',
     .type = OPTION_FLAG,
     .help = "print no summary at the end",
     .offset = offsetof(struct run_values, quiet)},
    {.name = "top",
     .letter = 'n',
     .type = OPTION_NUMBER,
     .argument = "N",
     .initial = "10",
     .help = "lines to show in the summary, 0 for all",
     .offset = offsetof(struct run_values, top),
     .max = 1000000000},
};

static const struct option_group run_groups[] = {
    {"Options", run_specs, OPTION_COUNT(run_specs), 0},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

/*
 * Room for what this run will leave. What cannot be removed is no reason not to run. Limits of the
 * user's own are for the traced processes, which know them.
 */
static void make_room(void)
{
    const char *options = getenv(TS_OPTIONS_VARIABLE);
    if (options && (strstr(options, "keep=") || strstr(options, "keep_days=")))
        return;
    struct prune_limits limits = {.size = PRUNE_DEFAULT, .days = PRUNE_DEFAULT};
    struct prune_result result;
    if (regions_prune(&limits, false, &result, NULL) == 0)
        prune_result_free(&result);
}

/* What must be right before the program starts: a long run must not end without its result. */
static int prepare(const struct run_values *values, const char *session, struct error *error)
{
    char library[PATH_MAX], directory[PATH_MAX], options[256];
    if (values->output && output_path_check(values->output, error) != 0)
        return -1;
    if (library_find(library, sizeof(library), error) != 0)
        return -1;
    if (region_directory(directory, sizeof(directory), error) != 0)
        return -1;
    int length = snprintf(options, sizeof(options), "session=%s", session);
    if (values->depth)
        length += snprintf(options + length, sizeof(options) - (size_t)length, ":depth=%llu",
                           (unsigned long long)values->depth);
    if (values->sample)
        length += snprintf(options + length, sizeof(options) - (size_t)length, ":sample=%llu",
                           (unsigned long long)values->sample);
    snprintf(options + length, sizeof(options) - (size_t)length, "%s%s",
             values->paused ? ":paused=1" : "", values->no_follow ? ":follow=0" : "");
    return library_preload(library, options, error);
}

static int explain_exec(const char *program, int error)
{
    if (error == ENOENT)
        message_error("program not found '%s': check its name and PATH", program);
    else
        message_error("cannot run '%s': %s, see 'tracesnap doctor -- %s'", program, strerror(error),
                      program);
    return error == ENOENT ? 127 : 126;
}

static int print_summary(const struct run_values *values, const char *source,
                         const struct run_result *result)
{
    struct report_options options = {
        .group = GROUP_LINE, .sort = SORT_PEAK, .attribute = ATTRIBUTE_USER};
    struct render_options render = render_options_read(&values->common, values->top, stderr);
    struct subject subject;
    if (subject_open(&subject, source, NULL) != 0)
        return 2;
    struct report *report = subject_report(&subject, NULL, &options);
    if (report && values->common.json)
        render_run_json(report, result, &render, stderr);
    else if (report)
        render_run_text(report, result, &render, stderr);
    int status = report ? 0 : 2;
    report_free(report);
    subject_close(&subject);
    return status;
}

/* Saves what the program left and tells of it. 0, or 2 after an error was printed. */
static int conclude(const struct run_values *values, const char *id, const struct launch *launch,
                    const struct session_saved *saved, char **command)
{
    struct session session;
    struct error error = {""};
    char pid[16], hint[PATH_MAX + 32];
    char *path = NULL;
    int status = 0;
    if (session_load(&session, id, launch->pid, &error) != 0)
        return message_error("%s", error.text);
    if (!session.has_main)
        message_note("no trace of '%s': see 'tracesnap doctor -- %s'", command[0], command[0]);
    if (values->output)
        status = session_save(&session, values->output, saved, &path);
    snprintf(pid, sizeof(pid), "%u", (unsigned)launch->pid);
    snprintf(hint, sizeof(hint), "%s", "see 'tracesnap ps --all'");
    if (values->output)
        snprintf(hint, sizeof(hint), "saved as '%s%s'", values->output,
                 output_path_is_pattern(values->output) ? "" : ".PID");
    if (session.has_main && !values->quiet && (path || !values->output)) {
        struct run_result result = {
            .status = launch->status,
            .signal = launch->signal,
            .elapsed = launch->elapsed,
            .source = path ? path : pid,
            .children = session.count - 1 + saved->count,
            .children_hint = hint,
        };
        status |= print_summary(values, path ? path : session.entries[0]->path, &result);
    }
    free(path);
    session_free(&session);
    return status;
}

struct collection {
    const char *id, *pattern;
    struct session_saved *saved;
};

static void collect(const struct launch *launch, void *closure)
{
    struct collection *collection = closure;
    session_collect(collection->id, launch->pid, collection->pattern, collection->saved);
}

static int run_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command;
    const struct run_values *values = all;
    static struct session_saved saved; /* too large for the stack */
    struct launch launch;
    struct error error = {""};
    char id[40];
    struct collection collection = {.id = id, .pattern = values->output, .saved = &saved};
    operands[count] = NULL;
    session_name(id, values->output == NULL);
    make_room();
    if (prepare(values, id, &error) != 0) {
        message_error("%s", error.text);
        return OWN_FAILURE;
    }
    if (launch_program(&launch, operands, values->output ? collect : NULL, &collection) != 0) {
        message_error("cannot start '%s': %s, try again later", operands[0], strerror(errno));
        return OWN_FAILURE;
    }
    if (launch.exec_error)
        return explain_exec(operands[0], launch.exec_error);
    return conclude(values, id, &launch, &saved, operands) == 0 ? launch.status : OWN_FAILURE;
}

const struct command run_command = {
    .name = "run",
    .usage = "[--] CMD [ARG...]",
    .summary = "Trace a program, print what held most at its peak",
    .text = "The status is the program's own, 128 + N if signal N killed it; 125 if tracesnap "
            "failed, 126 if\n"
            "CMD cannot be run, 127 if it was not found. Without -o the regions stay for "
            "'tracesnap stats PID'.\n",
    .groups = run_groups,
    .values_size = sizeof(struct run_values),
    .min_operands = 1,
    .max_operands = INT_MAX,
    .takes_program = true,
    .failure = OWN_FAILURE,
    .run = run_run,
};

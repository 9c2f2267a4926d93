/*
 * tracesnap snap: saves the state of a source as a file that needs nothing else.
 */
#include "tools/base/message.h"
#include "tools/base/strpool.h"
#include "tools/cmd/commands.h"
#include "tools/cmd/output_path.h"
#include "tools/cmd/report_options.h"
#include "tools/cmd/session.h"
#include "tools/render/json.h"
#include "tools/render/style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct snap_values {
    struct common_options common;
    const char *output;
    bool all;
};

static const struct option_spec snap_specs[] = {
    {.name = "output",
     .letter = 'o',
     .type = OPTION_STRING,
     .argument = "FILE",
     .help = "the snapshot file; %p is the pid. With --all a directory or a pattern",
     .offset = offsetof(struct snap_values, output)},
    {.name = "all",
     .letter = 'a',
     .type = OPTION_FLAG,
     .help = "every traced process that runs, instead of SOURCE",
     .offset = offsetof(struct snap_values, all)},
};

static const struct option_group snap_groups[] = {
    {"Options", snap_specs, OPTION_COUNT(snap_specs), 0},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static void tell(const struct capture *capture, const char *path, bool json)
{
    struct stat status;
    char size[32];
    uint64_t bytes = stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
    if (json) {
        json_t *document = json_document("tracesnap.snap/1");
        json_object_set_new(document, "file", json_text(path));
        json_object_set_new(document, "file_size", json_count(bytes));
        json_object_set_new(document, "process", json_process(capture));
        json_object_set_new(document, "taken_at", json_moment(capture->process.taken_at));
        json_object_set_new(document, "totals",
                            json_totals(&capture->totals, capture->context_count));
        json_print(document, stdout);
    } else {
        fprintf(stderr, "saved '%s': %u contexts, %s\n", path, capture->context_count,
                format_size(size, (int64_t)bytes, false));
        print_estimate(capture, "", stderr);
    }
}

static int save(const char *source, const char *pattern, bool json)
{
    struct error error = {""};
    struct capture *capture = source_open(source, &error);
    if (!capture)
        return message_error("%s", error.text);
    source_read_memory(capture);
    char pid[16];
    snprintf(pid, sizeof(pid), "%u", capture->process.pid);
    char *path = output_path(pattern, pid);
    int status = output_path_check(path, &error);
    if (status == 0)
        status = snapshot_write(capture, path, &error);
    if (status == 0)
        tell(capture, path, json);
    else
        status = message_error("%s", error.text);
    free(path);
    capture_free(capture);
    return status;
}

static int save_all(const char *pattern, bool json)
{
    struct region_list list;
    struct error error = {""};
    int status = 0;
    size_t length = strlen(pattern) + sizeof("/%p.tsnap");
    if (region_list_load(&list, geteuid() == 0, &error) != 0)
        return message_error("%s", error.text);
    char *full = memory_resize(NULL, length, 1);
    snprintf(full, length, "%s%s", pattern, output_path_is_pattern(pattern) ? "" : "/%p.tsnap");
    size_t saved = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (!region_is_current(&list, i))
            continue;
        status |= save(list.entries[i].path, full, json);
        saved++;
    }
    if (saved == 0)
        message_note("no process is traced: start one with 'tracesnap run -- CMD'");
    free(full);
    region_list_free(&list);
    return status;
}

static int snap_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command;
    const struct snap_values *values = all;
    if (!values->output)
        return message_error("missing option '-o': give -o FILE");
    if (values->all && count > 0)
        return message_error("both --all and a source '%s': give one of them", operands[0]);
    if (!values->all && count == 0)
        return message_error("missing operand of 'tracesnap snap': give SOURCE or --all");
    return values->all ? save_all(values->output, values->common.json)
                       : save(operands[0], values->output, values->common.json);
}

const struct command snap_command = {
    .name = "snap",
    .usage = "SOURCE | --all",
    .summary = "Save a snapshot; the process is not stopped",
    .text = SOURCE_TEXT,
    .groups = snap_groups,
    .values_size = sizeof(struct snap_values),
    .max_operands = 1,
    .run = snap_run,
};

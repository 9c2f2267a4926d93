/*
 * tracesnap prune: removes the regions of processes that ended.
 */
#include "region/keep.h"
#include "tools/base/message.h"
#include "tools/cmd/commands.h"
#include "tools/model/report.h"
#include "tools/render/json.h"
#include "tools/source/source.h"

#include <stdio.h>
#include <unistd.h>

struct prune_values {
    struct common_options common;
    bool all, dry_run;
    uint64_t keep, keep_days;
};

static const struct option_spec prune_specs[] = {
    {.name = "all",
     .letter = 'a',
     .type = OPTION_FLAG,
     .help = "remove every region that nobody uses",
     .offset = offsetof(struct prune_values, all)},
    {.name = "keep",
     .type = OPTION_SIZE,
     .argument = "SIZE",
     .help = "keep so much in each directory (1G, a quarter of the file system at most)",
     .offset = offsetof(struct prune_values, keep),
     .min = 1,
     .max = TS_KEEP_SIZE_MAX},
    {.name = "keep-days",
     .type = OPTION_NUMBER,
     .argument = "N",
     .help = "keep for so many days after the end was noticed (7)",
     .offset = offsetof(struct prune_values, keep_days),
     .min = 1,
     .max = TS_KEEP_DAYS_MAX},
    {.name = "dry-run",
     .letter = 'n',
     .type = OPTION_FLAG,
     .help = "only say what would be removed",
     .offset = offsetof(struct prune_values, dry_run)},
};

static const struct option_group prune_groups[] = {
    {"Options", prune_specs, OPTION_COUNT(prune_specs), 0},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static void print_text(const struct prune_result *result, bool dry_run)
{
    char removed[32], kept[32];
    for (size_t i = 0; i < result->removed; i++)
        printf("%s\n", result->paths[i]);
    fprintf(stderr, "%s %zu region%s of ended processes, %s; kept %zu, %s; %zu in use\n",
            dry_run ? "would remove" : "removed", result->removed, result->removed == 1 ? "" : "s",
            format_size(removed, (int64_t)result->removed_size, false), result->kept,
            format_size(kept, (int64_t)result->kept_size, false), result->in_use);
}

static void print_json(const struct prune_result *result, bool dry_run)
{
    json_t *document = json_document("tracesnap.prune/1"), *paths = json_array();
    for (size_t i = 0; i < result->removed; i++)
        json_array_append_new(paths, json_text(result->paths[i]));
    json_object_set_new(document, "dry_run", json_boolean(dry_run));
    json_object_set_new(document, "removed", paths);
    json_object_set_new(document, "removed_size", json_count(result->removed_size));
    json_object_set_new(document, "kept", json_count(result->kept));
    json_object_set_new(document, "kept_size", json_count(result->kept_size));
    json_object_set_new(document, "in_use", json_count(result->in_use));
    json_print(document, stdout);
}

static int prune_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command, (void)count, (void)operands;
    const struct prune_values *values = all;
    struct prune_limits limits = {
        .size = values->keep != 0 ? values->keep : PRUNE_DEFAULT,
        .days = values->keep_days != 0 ? values->keep_days : PRUNE_DEFAULT,
        .all = values->all,
        .dry_run = values->dry_run,
    };
    struct prune_result result;
    struct error error = {""};
    if (values->all && (values->keep != 0 || values->keep_days != 0))
        return message_error("both --all and '%s': give one of them",
                             values->keep != 0 ? "--keep" : "--keep-days");
    if (regions_prune(&limits, geteuid() == 0, &result, &error) != 0)
        return message_error("%s", error.text);
    if (values->common.json)
        print_json(&result, values->dry_run);
    else
        print_text(&result, values->dry_run);
    int status = result.failure.text[0] != '\0' ? message_error("%s", result.failure.text) : 0;
    prune_result_free(&result);
    return status;
}

const struct command prune_command = {
    .name = "prune",
    .usage = "",
    .summary = "Remove regions of processes that ended",
    .text = "In TRACESNAP_DIR if that is set; else yours, and everybody's for root. Never one of a\n"
            "process that runs, one that is being read, or one that a 'tracesnap run' will save.\n"
            "Traced processes do the same in passing.\n",
    .groups = prune_groups,
    .values_size = sizeof(struct prune_values),
    .run = prune_run,
};

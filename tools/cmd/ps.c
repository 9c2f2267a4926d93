/*
 * tracesnap ps: the traced processes.
 */
#include "tools/base/message.h"
#include "tools/cmd/commands.h"
#include "tools/cmd/session.h"
#include "tools/render/output.h"
#include "tools/render/processes.h"
#include "tools/source/source.h"

#include <stdlib.h>
#include <unistd.h>

struct ps_values {
    struct common_options common;
    bool all;
    bool no_pager;
};

static const struct option_spec ps_specs[] = {
    {.name = "all",
     .letter = 'a',
     .type = OPTION_FLAG,
     .help = "dead processes, too, as long as their regions are there",
     .offset = offsetof(struct ps_values, all)},
    {.name = "no-pager",
     .type = OPTION_FLAG,
     .help = "print to the terminal without $PAGER",
     .offset = offsetof(struct ps_values, no_pager)},
};

static const struct option_group ps_groups[] = {
    {"Options", ps_specs, OPTION_COUNT(ps_specs), 0},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static void print_all(const struct ps_values *values, const struct region_list *list, FILE *out)
{
    bool color = output_color(out, values->common.color == COLOR_ALWAYS,
                              values->common.color == COLOR_NEVER);
    struct processes *processes = processes_begin(values->common.json, color, out);
    size_t dead = 0, unreadable = list->unreadable;
    for (size_t i = 0; i < list->count; i++) {
        const struct region_entry *entry = &list->entries[i];
        bool current = region_is_current(list, i);
        dead += !current;
        if (!current && !values->all)
            continue;
        /* A process may have just begun, or ended: what cannot be read now is no reason to show
         * nothing. */
        struct capture *capture = source_open(entry->path, NULL);
        if (capture)
            processes_add(processes, capture, entry->path);
        else
            unreadable++;
        capture_free(capture);
    }
    processes_end(processes, dead, unreadable);
    if (values->common.json)
        return;
    if (dead && !values->all)
        message_note("%zu program%s that ended left a region: see 'tracesnap ps --all'", dead,
                     dead == 1 ? "" : "s");
    if (unreadable)
        message_note("%zu file%s in the region directory cannot be read: made by another version "
                     "of tracesnap, or by a process that was killed at its start",
                     unreadable, unreadable == 1 ? "" : "s");
}

static int ps_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command;
    (void)count;
    (void)operands;
    const struct ps_values *values = all;
    struct region_list list;
    struct error error = {""};
    if (region_list_load(&list, geteuid() == 0, &error) != 0)
        return message_error("%s", error.text);
    if (!values->common.json && !values->no_pager)
        output_page();
    print_all(values, &list, stdout);
    region_list_free(&list);
    return 0;
}

const struct command ps_command = {
    .name = "ps",
    .usage = "",
    .summary = "List the traced processes",
    .text = "Yours; everybody's for root.\n",
    .groups = ps_groups,
    .values_size = sizeof(struct ps_values),
    .run = ps_run,
};

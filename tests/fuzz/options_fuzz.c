/*
 * Fuzz target: command lines of the tool, against the tables of all commands, and values of
 * TRACESNAP_OPTIONS, against the shim's. Nothing is run: a command line may well say `run -- rm`.
 *
 *     which (1 byte: a command, or the shim), then the words, each ended by a zero
 */
#include "shim/options.h"
#include "region/layout.h"
#include "tests/fuzz/target.h"
#include "tools/cmd/commands.h"
#include "tools/cmd/output_path.h"
#include "tools/cmd/report_options.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

uint64_t sys_forbidden; /* in place of shim/memory.c */

/* ------------------------------------------------------------------ the tool's */

/* Globs and lines as filters of a report of three frames. */
struct filtered_values {
    struct common_options common;
    struct view_options view;
    struct filter_options filter;
};

static const struct option_group filtered_groups[] = {
    {"View", view_specs, VIEW_SPEC_COUNT, offsetof(struct filtered_values, view)},
    {"Filter", filter_specs, FILTER_SPEC_COUNT, offsetof(struct filtered_values, filter)},
    {"Output", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static const struct command filtered_command = {
    .name = "filtered",
    .usage = "WORD...",
    .groups = filtered_groups,
    .values_size = sizeof(struct filtered_values),
    .max_operands = WORDS_MAX,
};

static struct capture three_frames(void)
{
    static struct capture_node nodes[] = {{0, 0},
                                          {0x1000000000000001, 0},
                                          {0x1000000000000002, 1},
                                          {0x1000000000000003, 1}};
    static struct capture_context contexts[] = {{2, TS_DOMAIN_LIBC, {3, 300, 1, 100, 2, 200, 1}},
                                                {3, TS_DOMAIN_OBJ, {2, 64, 0, 0, 2, 64, 0}}};
    static struct capture_module module = {.path = (char *)"/usr/lib/libx.so.1"};
    for (uint32_t i = 1; i < 4; i++)
        nodes[i].key = ts_key(TS_FRAME_NATIVE, 0, 0x1000 * i);
    return (struct capture){.nodes = nodes,
                            .node_count = 4,
                            .contexts = contexts,
                            .context_count = 2,
                            .modules = &module,
                            .module_count = 1,
                            .totals = {5, 364, 1, 100, 4, 264, 1}};
}

static void filter(const struct filtered_values *values)
{
    struct report_options chosen;
    struct error error = {""};
    if (report_options_read(&chosen, &values->filter, &values->view) != 0)
        return;
    struct capture capture = three_frames();
    struct symbol_options nothing = {.debuginfo = false, .sysroot = "/nowhere"};
    struct symbolizer *symbolizer = symbolizer_new(&nothing);
    struct report *report = report_build(&capture, symbolizer, NULL, NULL, &chosen, &error);
    fuzz_demand(report != NULL, "a report can be made with any filters");
    fuzz_demand(report->totals.allocated_size <= 364, "filters add nothing");
    report_free(report);
    symbolizer_free(symbolizer);
    report_options_release(&chosen);
}

static void check_values(const struct command *command, const char *values)
{
    for (const struct option_group *group = command->groups; group->options; group++) {
        for (size_t i = 0; i < group->count; i++) {
            const struct option_spec *option = &group->options[i];
            const void *value = values + group->offset + option->offset;
            if (option->type == OPTION_NUMBER || option->type == OPTION_SIZE) {
                uint64_t number = *(const uint64_t *)value;
                fuzz_demand(number == 0 || (number >= option->min && number <= option->max),
                            "a number is within its bounds");
            } else if (option->type == OPTION_CHOICE) {
                for (unsigned choice = 0; choice < *(const unsigned *)value; choice++)
                    fuzz_demand(option->choices[choice] != NULL, "a choice is one of the list");
            }
        }
    }
}

static void try_command(const struct command *command, int argc, char **argv)
{
    int operands = 0;
    void *values = calloc(1, command->values_size);
    message_set_json(options_want_json(command, argc, argv));
    int status = options_parse(command, values, argc, argv, &operands);
    fuzz_demand(status == 0 || status == 2, "the status is 0 or 2");
    if (status == 0) {
        check_values(command, values);
        fuzz_demand(operands >= 0 && operands <= argc, "operands are words");
        if (!((struct common_options *)values)->help)
            fuzz_demand((size_t)operands >= command->min_operands &&
                            (size_t)operands <= command->max_operands,
                        "as many operands as the command takes");
        if (command == &filtered_command)
            filter(values);
    }
    options_release(command, values);
    free(values);
}

static void try_tool(unsigned which, int argc, char **argv)
{
    const struct command *command = &filtered_command;
    for (unsigned i = 0; i <= which && command_table[i] != NULL; i++)
        if (i == which)
            command = command_table[i];
    try_command(command, argc, argv);
    if (argc == 0)
        return;
    struct error error = {""};
    command_find(argv[0]);
    free(output_path(argv[0], "1234"));
    free(output_path_of_child(argv[0], argv[argc - 1]));
    output_path_check(argv[0], &error);
}

/* ------------------------------------------------------------------ the shim's */

static void try_shim(const char *value)
{
    const struct options defaults = {.depth = TS_DEPTH_DEFAULT, .follow = 1, .libunwind = 1};
    options = defaults;
    options_read(value);
    fuzz_demand(options.depth >= 1 && options.depth <= TS_DEPTH_MAX, "depth");
    fuzz_demand(options.sample <= TS_SAMPLE_MAX, "sample");
    fuzz_demand(options.paused <= 1 && options.follow <= 1 && options.verify <= 1 &&
                    options.libunwind <= 1 && options.verbose <= 1,
                "a switch is 0 or 1");
    fuzz_demand(memchr(options.session, '\0', sizeof(options.session)) != NULL &&
                    memchr(options.text, '\0', sizeof(options.text)) != NULL,
                "texts end");
    for (const char *c = options.session; *c != '\0'; c++)
        fuzz_demand(*c != '/' && (unsigned char)*c > 0x20, "a session's name names no directory");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *words = malloc(size), *argv[WORDS_MAX + 1];
    int argc = 0;
    memcpy(words, data + 1, size - 1);
    words[size - 1] = '\0';
    if (data[0] >= 0x80) {
        try_shim(words);
    } else {
        for (char *word = words; word < words + size - 1 && argc < WORDS_MAX;
             word += strlen(word) + 1)
            argv[argc++] = word;
        argv[argc] = NULL;
        try_tool(data[0] & 15, argc, argv);
    }
    free(words);
    return 0;
}

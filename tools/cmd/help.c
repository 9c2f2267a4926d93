/*
 * tracesnap help: the list of commands, or the options of one.
 */
#include "tools/cmd/commands.h"

struct help_values {
    struct common_options common;
};

static const struct option_group help_groups[] = {
    {"Options", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static int help_run(const struct command *command, const void *values, int count, char **operands)
{
    (void)command;
    (void)values;
    const struct command *subject = NULL;
    if (count > 0 && !(subject = command_find(operands[0])))
        return 2;
    if (subject)
        options_help(subject, stdout);
    else
        commands_usage(stdout);
    return 0;
}

const struct command help_command = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "List the commands, or the options of one",
    .groups = help_groups,
    .values_size = sizeof(struct help_values),
    .max_operands = 1,
    .run = help_run,
};

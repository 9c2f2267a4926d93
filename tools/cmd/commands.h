/*
 * The subcommands, each defined in the file of its name. The table is in main.c.
 */
#ifndef TRACESNAP_TOOLS_CMD_COMMANDS_H
#define TRACESNAP_TOOLS_CMD_COMMANDS_H

#include "tools/cmd/options.h"

extern const struct command run_command, ps_command, snap_command, stats_command, diff_command,
    export_command, pause_command, resume_command, clear_command, reset_peak_command,
    prune_command, doctor_command, help_command;

/* Ends with NULL. */
extern const struct command *const command_table[];

/* The command of that name; NULL after an error was printed. */
const struct command *command_find(const char *name);

void commands_usage(FILE *out);

#endif

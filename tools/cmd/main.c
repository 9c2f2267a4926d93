/*
 * tracesnap: the table of subcommands, and the way from a command line to one of them.
 */
#include "tools/base/message.h"
#include "tools/cmd/commands.h"
#include "tools/render/output.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS_MAX 32

const struct command *const command_table[] = {
    &run_command,    &ps_command,    &snap_command,       &stats_command,  &diff_command,
    &export_command, &pause_command, &resume_command,     &clear_command,  &reset_peak_command,
    &prune_command,  &doctor_command, &help_command,      NULL,
};

const struct command *command_find(const char *name)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
        names[count++] = (*command)->name;
    }
    const char *near = suggest(name, names, count);
    if (near)
        message_error("unknown command '%s': did you mean '%s'?", name, near);
    else
        message_error("unknown command '%s': see 'tracesnap --help'", name);
    return NULL;
}

void commands_usage(FILE *out)
{
    fputs("usage: tracesnap COMMAND [options] ...\n\n"
          "Heap snapshots of any Linux process, from outside.\n\n"
          "Start here:\n"
          "  tracesnap run -- ./program        trace a program, print what held most at its peak\n"
          "  tracesnap ps                      list the processes that are traced\n"
          "  tracesnap stats PID               the lines that hold most now\n"
          "  tracesnap snap PID -o a.tsnap     save a snapshot, at any time\n"
          "  tracesnap diff a.tsnap PID        what has grown since\n\n"
          "Commands:\n",
          out);
    for (const struct command *const *command = command_table; *command; command++)
        fprintf(out, "  %-12s%s\n", (*command)->name, (*command)->summary);
    fputs("\n'tracesnap COMMAND --help' shows the options of a command; tracesnap(7) explains the "
          "words.\n",
          out);
}

static int run_command_line(const struct command *command, int argc, char **argv)
{
    int operands = 0;
    int failure = command->failure ? command->failure : 2;
    message_set_json(options_want_json(command, argc, argv));
    void *values = calloc(1, command->values_size);
    if (!values)
        return message_error("no memory for '%s': free some", command->name);
    int status = options_parse(command, values, argc, argv, &operands);
    if (status != 0)
        status = failure;
    else if (((struct common_options *)values)->help)
        options_help(command, stdout);
    else
        status = command->run(command, values, operands, argv);
    options_release(command, values);
    free(values);
    int written = output_close();
    return written != 0 ? failure : status;
}

static int dump_options(void)
{
    for (const struct command *const *command = command_table; *command; command++)
        options_dump(*command, stdout);
    return output_close();
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        commands_usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        commands_usage(stdout);
        return output_close();
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("tracesnap " PACKAGE_VERSION);
        return output_close();
    }
    if (strcmp(argv[1], "--dump-options") == 0)
        return dump_options();
    if (argv[1][0] == '-')
        return message_error("unknown option '%s': give a command first, see 'tracesnap --help'",
                             argv[1]);
    const struct command *command = command_find(argv[1]);
    return command ? run_command_line(command, argc - 2, argv + 2) : 2;
}

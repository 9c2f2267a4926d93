/*
 * tracesnap doctor: whether a program can be traced here and, if not, why.
 */
#include "tools/cmd/doctor.h"

#include "tools/cmd/commands.h"
#include "tools/render/output.h"

#include <limits.h>

struct doctor_values {
    struct common_options common;
};

static const struct option_group doctor_groups[] = {
    {"Options", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static int doctor_run(const struct command *command, const void *all, int count, char **operands)
{
    (void)command;
    const struct doctor_values *values = all;
    const char *program = count > 0 ? operands[0] : NULL;
    struct findings findings = {0};
    doctor_check_environment(&findings);
    if (program)
        doctor_check_program(&findings, program);
    bool color = output_color(stdout, values->common.color == COLOR_ALWAYS,
                              values->common.color == COLOR_NEVER);
    findings_print(&findings, program, values->common.json, color, stdout);
    int status = findings_have_problem(&findings) ? 1 : 0;
    findings_release(&findings);
    return status;
}

const struct command doctor_command = {
    .name = "doctor",
    .usage = "[--] [CMD [ARG...]]",
    .summary = "Say whether a program can be traced here and, if not, why",
    .text = "CMD is not run. Exit status: 0 if it can be traced, 1 if not.\n",
    .groups = doctor_groups,
    .values_size = sizeof(struct doctor_values),
    .max_operands = INT_MAX,
    .takes_program = true,
    .run = doctor_run,
};

/*
 * tracesnap pause, resume, clear, reset-peak: one word that the shim reads is changed in the
 * region; the process is not stopped and not asked.
 */
#include "tools/base/message.h"
#include "tools/cmd/commands.h"
#include "tools/render/json.h"
#include "tools/source/source.h"

struct control_values {
    struct common_options common;
};

static const struct option_group control_groups[] = {
    {"Options", common_specs, COMMON_SPEC_COUNT, 0},
    {0},
};

static int control(enum region_control what, const struct command *command, const void *all,
                   char **operands)
{
    const struct control_values *values = all;
    struct error error = {""};
    if (region_control(operands[0], what, &error) != 0)
        return message_error("%s", error.text);
    if (values->common.json) {
        json_t *document = json_document("tracesnap.control/1");
        json_object_set_new(document, "command", json_string(command->name));
        json_object_set_new(document, "source", json_text(operands[0]));
        json_print(document, stdout);
    }
    return 0;
}

static int pause_run(const struct command *command, const void *values, int count, char **operands)
{
    (void)count;
    return control(REGION_PAUSE, command, values, operands);
}

static int resume_run(const struct command *command, const void *values, int count, char **operands)
{
    (void)count;
    return control(REGION_RESUME, command, values, operands);
}

static int clear_run(const struct command *command, const void *values, int count, char **operands)
{
    (void)count;
    return control(REGION_CLEAR, command, values, operands);
}

static int reset_peak_run(const struct command *command, const void *values, int count,
                          char **operands)
{
    (void)count;
    return control(REGION_RESET_PEAK, command, values, operands);
}

#define CONTROL_COMMAND(command_name, function, what, explanation)                                 \
    {                                                                                              \
        .name = command_name, .usage = "SOURCE", .summary = what, .text = explanation,             \
        .groups = control_groups, .values_size = sizeof(struct control_values), .min_operands = 1, \
        .max_operands = 1, .run = function                                                         \
    }
#define LIVE_SOURCE "SOURCE is the PID of a traced process, or its region file.\n"

const struct command pause_command = CONTROL_COMMAND(
    "pause", pause_run, "Stop recording new blocks of a traced process",
    LIVE_SOURCE "Blocks recorded before are still followed until they are freed.\n");
const struct command resume_command = CONTROL_COMMAND(
    "resume", resume_run, "Record new blocks again after a pause", LIVE_SOURCE);
const struct command clear_command = CONTROL_COMMAND(
    "clear", clear_run, "Forget all that was recorded of a traced process",
    LIVE_SOURCE "The figures start again from zero; blocks that live now are not counted.\n");
const struct command reset_peak_command = CONTROL_COMMAND(
    "reset-peak", reset_peak_run, "Make the present size of a traced process its peak",
    LIVE_SOURCE);

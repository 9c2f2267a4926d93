/*
 * The end of a capture: the one function that knows all that a capture owns.
 */
#include "tools/base/capture.h"

#include "tools/base/strpool.h"

#include <stdlib.h>

void capture_free(struct capture *capture)
{
    if (capture == NULL)
        return;
    struct capture_process *process = &capture->process;
    free(process->exe);
    free(process->cmdline);
    free(process->host);
    free(process->options);
    free(process->session);
    free(process->version);
    free(process->boot_id);
    for (uint32_t i = 0; i < capture->module_count; i++)
        free(capture->modules[i].path);
    free(capture->modules);
    free(capture->codes);
    free(capture->tables);
    strpool_free(capture->texts);
    free(capture->nodes);
    free(capture->contexts);
    free(capture->threads);
    free(capture->timeline);
    free(capture);
}

/*
 * A list of traced processes, as a table or as JSON (tracesnap.ps/1).
 */
#ifndef TRACESNAP_TOOLS_RENDER_PROCESSES_H
#define TRACESNAP_TOOLS_RENDER_PROCESSES_H

#include "tools/base/capture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct processes;

struct processes *processes_begin(bool json, bool color, FILE *out);
void processes_add(struct processes *processes, const struct capture *capture, const char *source);

/* Ends the list and frees it. `dead`: regions of dead processes, shown or not. */
void processes_end(struct processes *processes, size_t dead, size_t unreadable);

#endif

/*
 * What of a process's resident memory is traced and what is not, as text and as JSON.
 */
#ifndef TRACESNAP_TOOLS_RENDER_MEMORY_H
#define TRACESNAP_TOOLS_RENDER_MEMORY_H

#include "tools/base/capture.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* One line, or two with what explains the difference to the traced total; none if nothing is
 * known. */
void print_memory(const struct capture *capture, bool explain, FILE *out);

/* null if nothing is known. */
json_t *json_memory(const struct capture *capture);

#endif

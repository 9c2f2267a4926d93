/*
 * What a Python interpreter says of itself, as text and as JSON.
 */
#ifndef TRACESNAP_TOOLS_RENDER_INTERPRETER_H
#define TRACESNAP_TOOLS_RENDER_INTERPRETER_H

#include "tools/base/capture.h"

#include <jansson.h>
#include <stdio.h>

/* One line; none if nothing is known. */
void print_interpreter(const struct capture *capture, FILE *out);

/* null if nothing is known. */
json_t *json_interpreter(const struct capture *capture);

#endif

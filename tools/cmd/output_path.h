/*
 * Names of snapshot files, as -o gives them.
 */
#ifndef TRACESNAP_TOOLS_CMD_OUTPUT_PATH_H
#define TRACESNAP_TOOLS_CMD_OUTPUT_PATH_H

#include "tools/base/message.h"

#include <stdbool.h>

bool output_path_is_pattern(const char *pattern);

/* A new string, to be freed: the pattern with each %p replaced by `label` (a pid, or a pid and
 * more). */
char *output_path(const char *pattern, const char *label);

/* The same for another process of the session: a pattern without %p gets ".LABEL" at its end. */
char *output_path_of_child(const char *pattern, const char *label);

/*
 * Checks, before anything is done, that a file can be made there: its directory exists and is
 * writable, and what is there already is a regular file. 0 or -1 and *error.
 */
int output_path_check(const char *path, struct error *error);

#endif

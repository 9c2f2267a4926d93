/*
 * Where libtracesnap.so is, and how a program is made to load it.
 */
#ifndef TRACESNAP_TOOLS_CMD_LIBRARY_H
#define TRACESNAP_TOOLS_CMD_LIBRARY_H

#include "tools/base/message.h"

#include <stddef.h>

/* Finds the library: in the build tree that the tool runs from, beside the tool, where it was
 * installed. */
int library_find(char *path, size_t size, struct error *error);

/*
 * Sets LD_PRELOAD and TRACESNAP_OPTIONS for programs started from here on: the library goes before
 * other preloads, the options behind those that are set, since the last one of a key is in force.
 */
int library_preload(const char *path, const char *options, struct error *error);

#endif

/*
 * Strings of the region: paths of modules, names of Python code. Any thread, lock-free.
 */
#ifndef TRACESNAP_SHIM_STRINGS_H
#define TRACESNAP_SHIM_STRINGS_H

#include <stdbool.h>
#include <stdint.h>

/* Copies size bytes (below TS_SLAB_SIZE) and a terminator; false when there is no room. */
bool strings_add(const char *string, uint32_t size, uint32_t *slab, uint32_t *offset);

/* In a forked child: its strings go on in a slab of their own, since the parent may have added to
 * the one that was copied after the fork. */
void strings_forked(void);

#endif

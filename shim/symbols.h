/*
 * Which functions the objects behind this one define.
 */
#ifndef TRACESNAP_SHIM_SYMBOLS_H
#define TRACESNAP_SHIM_SYMBOLS_H

#include <stdbool.h>

/* Whether dlsym(RTLD_NEXT, name) would find something. While nothing else is loaded or unloaded. */
bool symbols_follow(const char *name);

#endif

/*
 * Which functions the objects behind this one define.
 */
#ifndef TRACESNAP_SHIM_SYMBOLS_H
#define TRACESNAP_SHIM_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#define SYMBOLS_MAX 64

/*
 * follow[i]: whether dlsym(RTLD_NEXT, names[i]) would find something; count: SYMBOLS_MAX at most.
 * While nothing else is loaded or unloaded.
 */
void symbols_follow(const char *const *names, bool *follow, size_t count);

#endif

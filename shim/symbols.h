/*
 * Which functions the objects behind this one define.
 */
#ifndef TRACESNAP_SHIM_SYMBOLS_H
#define TRACESNAP_SHIM_SYMBOLS_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOLS_MAX 64

/*
 * follow[i]: whether dlsym(RTLD_NEXT, names[i]) would find something; count: SYMBOLS_MAX at most.
 * While nothing else is loaded or unloaded.
 */
void symbols_follow(const char *const *names, bool *follow, size_t count);

/* What an object defines by that name, and its size in bytes; false when it does not. No lock:
 * while the object is not unloaded. */
bool symbols_of_object(const struct link_map *map, const char *name, uintptr_t *address,
                       size_t *size);

/* The first object that defines the name, in the loader's order; NULL when none does. While nothing
 * is loaded or unloaded. */
const struct link_map *symbols_object_with(const char *name);

#endif

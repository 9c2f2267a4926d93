/*
 * The namespaces and classes of a C++ unit. Compilers leave out the linkage name of what other
 * units cannot see, which includes every function of a template that was given a lambda; DWARF then
 * only has the last part of the name, and the rest is where the function stands.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_SCOPES_H
#define TRACESNAP_TOOLS_SYMBOL_SCOPES_H

#include "tools/base/strpool.h"

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

#define SCOPE_NONE UINT32_MAX

/* Offsets within the unit. */
struct scope {
    uint32_t begin, end; /* of its DIE and of all that is in it */
    uint32_t parent;     /* SCOPE_NONE = it stands at the top */
};

/* By `begin`. */
struct scopes {
    struct scope *items;
    size_t count, capacity;
};

/* Adds a scope that begins behind all others; returns its number, for scopes_end. */
uint32_t scopes_begin(struct scopes *scopes, uint32_t begin, uint32_t parent);
void scopes_end(struct scopes *scopes, uint32_t number, uint32_t end);

/*
 * "a::B<int>::" before `name`, for a DIE at `offset` of the unit that starts at `start`; in the
 * pool.
 */
const char *scopes_qualify(const struct scopes *scopes, Dwarf *dwarf, Dwarf_Off start,
                           uint32_t offset, const char *name, struct strpool *pool);

#endif

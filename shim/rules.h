/*
 * The rule cache: return address -> how to unwind its frame, and the frame's key. Shared by all threads,
 * without locks: an entry is one aligned 16-byte access.
 *
 *     count word:  pc, 48 bits | exact, 1 bit | module instance, 15 bits
 *     size word:   cfa_offset / 8, 24 bits | rbp_offset / 8, 16 bits | kind, 3 | rbp_saved, 1 |
 *                  rbp_by_rbp, 1 | generation, 16 bits | unused, 3
 *
 * A dlclose retires all entries by stepping module_generation; when the 16 bits come round, the table is
 * emptied, so that an entry of 65,536 dlcloses ago is not taken for a new one.
 */
#ifndef TRACESNAP_SHIM_RULES_H
#define TRACESNAP_SHIM_RULES_H

#include "shim/cfi.h"

struct rule_entry {
    struct rule rule;
    uint64_t key; /* region/key.h */
};

bool rules_start(void);

/*
 * The rule at pc. exact: pc was interrupted by a signal; else it is a return address, and the call before it
 * counts. Async-signal-safe.
 */
struct rule_entry rules_find(uintptr_t pc, bool exact);

/* Empties the cache (generation wrap). */
void rules_forget(void);

#endif

/*
 * The modules of the process: from a program counter to the executable or library that holds it,
 * its unwind tables and its number in the region. The loader is asked without locks
 * (_dl_find_object).
 */
#ifndef TRACESNAP_SHIM_MODULES_H
#define TRACESNAP_SHIM_MODULES_H

#include "region/atomic.h"
#include "shim/cfi.h"
#include "shim/own.h"
#include "shim/thread.h"

#include <link.h>

/*
 * One module at one place, or one of its segments where they do not adjoin. Instances are few and
 * live in an array; a rule remembers its instance by index. Index 0 is no module. A module that is
 * unloaded leaves its instance behind, with an old generation.
 */
struct module_instance {
    uint64_t key_base; /* as in module_key_base */
    uintptr_t start, end;
    struct cfi_tables tables;
    bool fleeting; /* libc may unload it by itself: asked anew each time, and nothing about it is
                      remembered */
    uint32_t generation; /* of module_generation when it was looked up; stored last (release) */
};

#define MODULE_INSTANCES_MAX 32768u

SHIM_OWN struct module_instance module_instances[MODULE_INSTANCES_MAX];

/*
 * By instance: what added to an address gives the frame's key, that is, kind and module number in
 * their places minus the load bias. In an array of its own for the walk's sake.
 */
SHIM_OWN uint64_t module_key_base[MODULE_INSTANCES_MAX];

/* Steps at the start and at the end of every dlclose: what was learned before is asked anew. */
SHIM_OWN uint32_t module_generation;

/* Whether two addresses lie in one executable or library; true when it cannot be told. No lock, no
 * store: for any moment. */
bool modules_same(uintptr_t a, uintptr_t b);

/* Where the executable or library that holds pc lies; false when none does. No lock. */
bool modules_bounds(uintptr_t pc, uintptr_t *start, uintptr_t *end);

/* How many modules were met, plus 1; and where the loader has the one at an index, NULL when it has
 * none there any more, or keeps none of them for long. No lock. */
uint32_t modules_count(void);
const struct link_map *modules_object(uint32_t index);

/* The module that holds pc; 0 when none does. Records it in the region when it is new. */
uint32_t modules_find(uintptr_t pc);

void modules_closing(struct thread *thread); /* before dlclose */
void modules_closed(struct thread *thread);  /* after it */

/* In a forked child: only its own thread's dlcloses are still going on. */
void modules_forked(const struct thread *thread);

/* While a dlclose runs, what is found may go at any moment: use it, do not remember it. */
bool modules_are_stable(void);

#endif

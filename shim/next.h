/*
 * The next allocator: what the program would call if the shim were not there; libc's, or
 * jemalloc's, tcmalloc's, mimalloc's where the program is linked to one.
 */
#ifndef TRACESNAP_SHIM_NEXT_H
#define TRACESNAP_SHIM_NEXT_H

#include "shim/hooks.h"
#include "shim/thread.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct next {
#define X(type, name, parameters) type(*name) parameters;
    HOOK_LIST(X)
#undef X
};

extern struct next next;

/*
 * The same where C++'s operators come to malloc and free, as libstdc++'s do. All NULL where the
 * next allocator has operators of its own (jemalloc, tcmalloc, mimalloc), or before it is known.
 */
extern struct next next_onward;

/* Finds them all. False while that is still going on (dlsym allocates): use the arena. Ends the
 * process never. */
bool next_resolve(void);

/*
 * Whether malloc comes to us. Where the program, or a library preloaded before this one, defines
 * malloc, it does not, or only by way of theirs; nor where valgrind serves it. Until it has come
 * once, what else comes (a reallocarray that they lack) is not recorded: its free would never be
 * seen. After next_resolve.
 */
bool next_comes_to_us(void);
extern bool next_reached; /* malloc has come, or calloc; set by their hooks */

/* The hook, whatever the loader bound the name to. */
void *hooks_malloc(size_t size) __attribute__((visibility("hidden")));

static inline bool next_ready(void)
{
    return __atomic_load_n(&next.malloc, __ATOMIC_ACQUIRE) != NULL;
}

/* Whether the next allocator is known; if not, its dlsym is under way and the arena serves. */
static inline bool have_next(void)
{
    return likely(next_ready()) || next_resolve();
}

/* The arena for what dlsym itself allocates: small, static, never given back. */
#define ARENA_SIZE 32768
extern char next_arena[ARENA_SIZE];

static inline bool arena_holds(const void *block)
{
    return (uintptr_t)block - (uintptr_t)next_arena < ARENA_SIZE;
}

void *arena_allocate(size_t size, size_t alignment); /* zeroed; NULL and ENOMEM when full */
size_t arena_size(const void *block);

#endif

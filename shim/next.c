/*
 * Finding the next allocator by dlsym(RTLD_NEXT), and serving dlsym's own allocations meanwhile.
 */
#include "shim/next.h"
#include "shim/process.h"
#include "shim/symbols.h"
#include "shim/thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

struct next next;
struct next next_onward;
char next_arena[ARENA_SIZE] __attribute__((aligned(16)));
static size_t arena_used;

void *arena_allocate(size_t size, size_t alignment)
{
    size_t used = ts_load_relaxed(&arena_used), begin;
    if (alignment < 16)
        alignment = 16;
    do {
        begin = (((uintptr_t)next_arena + used + 16 + alignment - 1) & ~(alignment - 1)) -
                (uintptr_t)next_arena;
        if (size > ARENA_SIZE || begin > ARENA_SIZE - size) {
            errno = ENOMEM;
            return NULL;
        }
    } while (!ts_cas_acq_rel(&arena_used, &used, begin + size));
    __builtin_memcpy(next_arena + begin - 8, &size, sizeof size);
    return next_arena + begin;
}

size_t arena_size(const void *block)
{
    size_t size;
    __builtin_memcpy(&size, (const char *)block - 8, sizeof size);
    return size;
}

bool next_reached;

/* Where the loader chose our malloc, it is called, marked as ours: valgrind may be there first. */
bool next_comes_to_us(void)
{
    static bool tried;
    uintptr_t bound = (uintptr_t)&malloc, own = (uintptr_t)&hooks_malloc;
    __asm__ volatile("" : "+r"(bound), "+r"(own)); /* else the compiler knows better */
    if (bound == own && !ts_load_relaxed(&next_reached) && !ts_exchange_acq_rel(&tried, true)) {
        uint32_t busy = thread_self.busy;
        thread_self.busy_frame = 0;
        thread_self.busy = THREAD_IN_NEXT;
        free(malloc(1));
        thread_self.busy = busy;
    }
    return ts_load_relaxed(&next_reached);
}

/* The object that a function is in. */
static const void *object_of(const void *function)
{
    Dl_info info;
    return function != NULL && dladdr(function, &info) != 0 ? info.dli_fbase : NULL;
}

static bool has_operators(const struct next *found, void *(*allocate)(size_t))
{
    return object_of((const void *)found->_Znwm) != NULL &&
           object_of((const void *)found->_Znwm) == object_of((const void *)allocate);
}

enum hook_number {
#define X(type, name, parameters) HOOK_##name,
    HOOK_LIST(X)
#undef X
        HOOK_COUNT
};
_Static_assert(HOOK_COUNT <= SYMBOLS_MAX, "symbols_follow takes no more");

static const char *const hook_names[HOOK_COUNT] = {
#define X(type, name, parameters) #name,
    HOOK_LIST(X)
#undef X
};

/* Asks the loader for nothing that is not there (symbols.c). */
static void *find(const char *name, bool follows)
{
    if (!follows)
        return NULL;
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        dlerror(); /* it failed all the same: not the program's last error */
    return function;
}

bool next_resolve(void)
{
    uint32_t nobody = 0;
    if (next_ready())
        return true;
    process_make_page();
    struct process_page *page = process_page;
    if (!ts_cas_acq_rel(&page->resolving, &nobody, 1))
        return false;
    uint32_t busy = thread_self.busy;
    struct next found;
    thread_self.busy_frame = 0;
    thread_self.busy = THREAD_IN_NEXT; /* what dlsym allocates is not the program's */
    bool follow[HOOK_COUNT];
    symbols_follow(hook_names, follow, HOOK_COUNT);
    /* It was loaded by dlopen: what is next comes before it in the list. */
    if (!follow[HOOK_malloc])
        for (int i = 0; i < HOOK_COUNT; i++)
            follow[i] = true;
#define X(type, name, parameters)                                                                  \
    found.name = (type(*) parameters)find(#name, follow[HOOK_##name]);
    HOOK_LIST(X)
#undef X
    thread_self.busy = busy;
    void *(*allocate)(size_t) = found.malloc;
    /* malloc says that all are there: it comes last. */
#define X(type, name, parameters)                                                                  \
    if (offsetof(struct next, name) != offsetof(struct next, malloc))                              \
        next.name = found.name;
    HOOK_LIST(X)
#undef X
    found.malloc = NULL;
    if (!has_operators(&found, allocate))
        next_onward = found;
    ts_store_release(&next.malloc, allocate);
    ts_store_release(&page->resolving, 0);
    return allocate != NULL;
}

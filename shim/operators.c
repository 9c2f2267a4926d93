/*
 * C++'s operators new and delete. Where they come to malloc and free, as libstdc++'s do, the call
 * goes on to them untouched, and the hooks of C record it. An allocator that has its own (jemalloc,
 * tcmalloc, mimalloc) serves them inside: they are recorded here.
 */
#include "shim/enter.h"

#include <dlfcn.h>

HOOK_LIST(HOOK_DECLARE)

/* Itanium C++ ABI 5.1.5: nw new, na new[], dl delete, da delete[]; m = size_t, Pv = void *. */

/*
 * No next definition: a program of C loaded a library of C++ for itself alone, whose operators
 * these have become. They do what libstdc++'s do (GCC, libsupc++/new_op.cc, new_opa.cc).
 */
static void *allocate(size_t size, size_t alignment, const struct walk_start *start)
{
    struct thread *thread = &thread_self;
    size_t bytes = size != 0 ? size : 1;
    bool entered = enter(thread), sampling = !entered && enter_sampling(thread);
    void *block;
    if (alignment != 0) {
        alignment = alignment < sizeof(void *) ? sizeof(void *) : alignment;
        bytes =
            bytes > SIZE_MAX - alignment ? SIZE_MAX : (bytes + alignment - 1) & ~(alignment - 1);
    }
    if (!have_next())
        block = arena_allocate(bytes, alignment);
    else
        block = alignment != 0 ? next.aligned_alloc(alignment, bytes) : next.malloc(bytes);
    if (sampling)
        return leave_sampling(thread, block, bytes, *start);
    return entered ? leave_with(thread, block, bytes, *start) : block;
}

/* Out of memory, which the library's own operator knows how to tell: its definition, wherever it is
 * loaded. */
static void *find_hidden(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++abi.so.1", "libc++.so.1"};
    void *function = NULL;
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0] && function == NULL; i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        function = library != NULL ? dlsym(library, name) : NULL;
    }
    return function;
}

/*
 * Around a next operator of the allocator's own. If it comes to malloc after all (jemalloc 5.2),
 * that has recorded the block. Between the two, nothing of ours is held: the operator may throw.
 */
static void begin(struct thread *thread)
{
    thread->last = NULL;
    thread->sample_mark = thread->sample_left;
}

static void *end(struct thread *thread, void *block, size_t size, const struct walk_start *start)
{
    if (block == NULL || thread->last == block)
        return block;
    if (enter(thread))
        return leave_with(thread, block, size, *start);
    /* Unchanged: no hook has decided on the block. */
    if (thread->sample_left == thread->sample_mark && enter_sampling(thread))
        return leave_sampling(thread, block, size, *start);
    return block;
}

/*
 * The operators come in pairs of a single object's and an array's. The fast path goes on to an
 * operator that comes to malloc, and leaves no frame of ours.
 */
#define OPERATOR(name, parameters, arguments, slowly)                                              \
    void *name parameters                                                                          \
    {                                                                                              \
        if (likely(next_onward.name != NULL))                                                      \
            return next_onward.name arguments;                                                     \
        struct walk_start start = walk_caller();                                                   \
        return slowly;                                                                             \
    }

typedef void *new_function(size_t size);
typedef void *new_aligned_function(size_t size, size_t alignment);

static __attribute__((noinline)) void *new_slowly(const char *name, new_function *function,
                                                  size_t size, const struct walk_start *start)
{
    struct thread *thread = &thread_self;
    if (!have_next() || function == NULL) {
        void *block = allocate(size, 0, start);
        if (block == NULL && (function = find_hidden(name)) != NULL)
            block = function(size);
        return block;
    }
    begin(thread);
    return end(thread, function(size), size, start);
}

static __attribute__((noinline)) void *new_aligned_slowly(const char *name,
                                                          new_aligned_function *function,
                                                          size_t size, size_t alignment,
                                                          const struct walk_start *start)
{
    struct thread *thread = &thread_self;
    if (!have_next() || function == NULL) {
        void *block = allocate(size, alignment, start);
        if (block == NULL && (function = find_hidden(name)) != NULL)
            block = function(size, alignment);
        return block;
    }
    begin(thread);
    return end(thread, function(size, alignment), size, start);
}

typedef void *new_silent_function(size_t size, const void *nothrow);
typedef void *new_aligned_silent_function(size_t size, size_t alignment, const void *nothrow);

static __attribute__((noinline)) void *new_silently(new_silent_function *function, size_t size,
                                                    const void *nothrow,
                                                    const struct walk_start *start)
{
    struct thread *thread = &thread_self;
    if (!have_next() || function == NULL)
        return allocate(size, 0, start);
    begin(thread);
    return end(thread, function(size, nothrow), size, start);
}

static __attribute__((noinline)) void *new_aligned_silently(new_aligned_silent_function *function,
                                                            size_t size, size_t alignment,
                                                            const void *nothrow,
                                                            const struct walk_start *start)
{
    struct thread *thread = &thread_self;
    if (!have_next() || function == NULL)
        return allocate(size, alignment, start);
    begin(thread);
    return end(thread, function(size, alignment, nothrow), size, start);
}

#define NEW(name)                                                                                  \
    OPERATOR(name##m, (size_t size), (size), new_slowly(#name "m", next.name##m, size, &start))    \
    OPERATOR(name##mRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow),           \
             new_silently(next.name##mRKSt9nothrow_t, size, nothrow, &start))                      \
    OPERATOR(name##mSt11align_val_t, (size_t size, size_t alignment), (size, alignment),           \
             new_aligned_slowly(#name "mSt11align_val_t", next.name##mSt11align_val_t, size,       \
                                alignment, &start))                                                \
    OPERATOR(name##mSt11align_val_tRKSt9nothrow_t,                                                 \
             (size_t size, size_t alignment, const void *nothrow), (size, alignment, nothrow),     \
             new_aligned_silently(next.name##mSt11align_val_tRKSt9nothrow_t, size, alignment,      \
                                  nothrow, &start))

NEW(_Znw)
NEW(_Zna)

#define OPERATOR_DELETE(name, parameters, arguments)                                               \
    static __attribute__((noinline)) void name##_slowly parameters                                 \
    {                                                                                              \
        if (next.name == NULL || block == NULL || arena_holds(block)) {                            \
            free(block);                                                                           \
            return;                                                                                \
        }                                                                                          \
        forget(block);                                                                             \
        next.name arguments;                                                                       \
    }                                                                                              \
    void name parameters                                                                           \
    {                                                                                              \
        if (likely(next_onward.name != NULL))                                                      \
            next_onward.name arguments;                                                            \
        else                                                                                       \
            name##_slowly arguments;                                                               \
    }

#define DELETE(name)                                                                               \
    OPERATOR_DELETE(name##Pv, (void *block), (block))                                              \
    OPERATOR_DELETE(name##Pvm, (void *block, size_t size), (block, size))                          \
    OPERATOR_DELETE(name##PvRKSt9nothrow_t, (void *block, const void *nothrow), (block, nothrow))  \
    OPERATOR_DELETE(name##PvSt11align_val_t, (void *block, size_t alignment), (block, alignment))  \
    OPERATOR_DELETE(name##PvmSt11align_val_t, (void *block, size_t size, size_t alignment),        \
                    (block, size, alignment))                                                      \
    OPERATOR_DELETE(name##PvSt11align_val_tRKSt9nothrow_t,                                         \
                    (void *block, size_t alignment, const void *nothrow),                          \
                    (block, alignment, nothrow))

DELETE(_Zdl)
DELETE(_Zda)

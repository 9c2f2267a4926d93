/*
 * The one list of interposed symbols. A line here declares the pointer to the next definition
 * (next.h) and is resolved at start-up (next.c); hooks.c, operators.c, limits.c or sandbox.c
 * defines the symbol itself. X(return type, name, parameters)
 */
#ifndef TRACESNAP_SHIM_HOOKS_H
#define TRACESNAP_SHIM_HOOKS_H

#include <pthread.h>
#include <stddef.h>

#define HOOK_LIST(X)                                                                               \
    X(void *, malloc, (size_t size))                                                               \
    X(void, free, (void *block))                                                                   \
    X(void *, calloc, (size_t count, size_t size))                                                 \
    X(void *, realloc, (void *block, size_t size))                                                 \
    X(void *, reallocarray, (void *block, size_t count, size_t size))                              \
    X(int, posix_memalign, (void **block, size_t alignment, size_t size))                          \
    X(void *, aligned_alloc, (size_t alignment, size_t size))                                      \
    X(void *, memalign, (size_t alignment, size_t size))                                           \
    X(void *, valloc, (size_t size))                                                               \
    X(void *, pvalloc, (size_t size))                                                              \
    X(size_t, malloc_usable_size, (void *block))                                                   \
    X(void, free_sized, (void *block, size_t size))                                                \
    X(void, free_aligned_sized, (void *block, size_t alignment, size_t size))                      \
    X(void, cfree, (void *block))                                                                  \
    X(void *, _Znwm, (size_t size))                                                                \
    X(void *, _Znam, (size_t size))                                                                \
    X(void *, _ZnwmRKSt9nothrow_t, (size_t size, const void *nothrow))                             \
    X(void *, _ZnamRKSt9nothrow_t, (size_t size, const void *nothrow))                             \
    X(void *, _ZnwmSt11align_val_t, (size_t size, size_t alignment))                               \
    X(void *, _ZnamSt11align_val_t, (size_t size, size_t alignment))                               \
    X(void *, _ZnwmSt11align_val_tRKSt9nothrow_t,                                                  \
      (size_t size, size_t alignment, const void *nothrow))                                        \
    X(void *, _ZnamSt11align_val_tRKSt9nothrow_t,                                                  \
      (size_t size, size_t alignment, const void *nothrow))                                        \
    X(void, _ZdlPv, (void *block))                                                                 \
    X(void, _ZdaPv, (void *block))                                                                 \
    X(void, _ZdlPvm, (void *block, size_t size))                                                   \
    X(void, _ZdaPvm, (void *block, size_t size))                                                   \
    X(void, _ZdlPvRKSt9nothrow_t, (void *block, const void *nothrow))                              \
    X(void, _ZdaPvRKSt9nothrow_t, (void *block, const void *nothrow))                              \
    X(void, _ZdlPvSt11align_val_t, (void *block, size_t alignment))                                \
    X(void, _ZdaPvSt11align_val_t, (void *block, size_t alignment))                                \
    X(void, _ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment))                  \
    X(void, _ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment))                  \
    X(void, _ZdlPvSt11align_val_tRKSt9nothrow_t,                                                   \
      (void *block, size_t alignment, const void *nothrow))                                        \
    X(void, _ZdaPvSt11align_val_tRKSt9nothrow_t,                                                   \
      (void *block, size_t alignment, const void *nothrow))                                        \
    X(int, dlclose, (void *handle))                                                                \
    X(int, pthread_setname_np, (pthread_t thread, const char *name))                               \
    X(int, setrlimit, (int resource, const void *limit))                                           \
    X(int, setrlimit64, (int resource, const void *limit))                                         \
    X(int, prlimit, (int pid, int resource, const void *limit, void *old))                         \
    X(int, prlimit64, (int pid, int resource, const void *limit, void *old))                       \
    X(int, mlockall, (int flags))                                                                  \
    X(int, prctl, (int option, ...))                                                               \
    X(long, syscall, (long number, ...))

/* Declared here: the headers of libc give some of them other attributes, other types, or none at
 * all. */
#define HOOK_DECLARE(type, name, parameters)                                                       \
    __attribute__((visibility("default"))) type name parameters;

#endif

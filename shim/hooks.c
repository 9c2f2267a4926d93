/*
 * The interposed symbols of C. Each calls the next definition with the same arguments and returns
 * what it returned; blocks and errno are never changed. What is recorded, and when, is record.c's
 * business.
 */
#include "shim/enter.h"
#include "shim/modules.h"
#include "shim/python.h"
#include "shim/python_hooks.h"
#include "shim/region.h"
#include "shim/system.h"
#include "shim/threads.h"

#include <errno.h>
#include <link.h>
#include <sys/auxv.h>

HOOK_LIST(HOOK_DECLARE)

/*
 * Whether the hook that set busy was left by a longjmp out of a signal handler. While it runs, its
 * return address stays where it was, and no other frame can be where its frame is.
 */
static bool is_left_behind(const struct thread *thread, uintptr_t frame)
{
    uintptr_t slot = thread->busy_frame + sizeof(uintptr_t);
    if (thread->busy == THREAD_FREE || thread->busy_frame == 0)
        return false;
    if (frame == thread->busy_frame)
        return true;
    bool own = slot - thread->stack_low < thread->stack_high - thread->stack_low;
    if (!own && !sys_may(SYS_LIST_TRY))
        return false; /* nobody can tell: what comes is counted as a handler's */
    return !(own || sys_readable(slot)) || *(const uintptr_t *)slot != thread->busy_return;
}

/*
 * True: such a hook was left behind, and its thread is free again. What it was recording is lost,
 * and counted; so is the trust in the stack that it was walking.
 */
static bool recover(struct thread *thread, uintptr_t frame)
{
    if (!process_is_tracing() || !is_left_behind(thread, frame))
        return false;
    region_drop(TS_DROP_REENTRANT);
    if (thread->shard != NULL) {
        shard_distrust(thread->shard);
        ts_store_relaxed(&thread->shard->inserting, 0);
    }
    thread->busy = THREAD_FREE;
    return true;
}

/*
 * A call while the thread is inside the next allocator, which may be that calling itself by name:
 * also through libc or the loader. From anywhere else it is a signal handler's.
 */
static bool is_of_handler(const struct thread *thread, uintptr_t frame)
{
    uintptr_t caller = *(const uintptr_t *)(frame + sizeof(uintptr_t));
    return thread->busy_frame != 0 && next_ready() && !python_holds(caller) &&
           !python_hooks_call(caller) && !modules_same(caller, (uintptr_t)next.malloc) &&
           !modules_same(caller, (uintptr_t)&enter_slowly) &&
           !modules_same(caller, (uintptr_t)&getauxval) &&
           !modules_same(caller, (uintptr_t)&_r_debug);
}

__attribute__((noinline)) bool enter_slowly(struct thread *thread, uintptr_t frame)
{
    if (recover(thread, frame))
        return !process_is_sampling();
    if (thread->busy) {
        bool lost = thread->busy == THREAD_IN_SHIM || is_of_handler(thread, frame);
        if (lost && process_is_fresh_child())
            process_early(); /* the region is still its parent's */
        else if (lost)
            region_drop(TS_DROP_REENTRANT);
        thread->nested = true;
        return false;
    }
    return !process_is_sampling() && process_begin() && !process_is_sampling();
}

static void forget_sampled(struct thread *thread, const void *address)
{
    set_busy(thread, THREAD_IN_SHIM);
    record_free_sampled(thread, address);
    leave(thread);
}

__attribute__((noinline)) bool forget_outside(struct thread *thread, const void *address,
                                              uintptr_t frame)
{
    struct block block;
    bool recovered = recover(thread, frame);
    if (process_is_sampling() && thread->busy == THREAD_FREE) {
        if (sample_may_know(address))
            forget_sampled(thread, address);
        return false;
    }
    if (recovered)
        return true;
    if (thread->busy && process_is_tracing()) {
        if (record_take_either(address, &block))
            record_defer(thread, &block);
    } else if (process_is_fresh_child() && record_take_either(address, &block)) {
        process_took_inherited();
    }
    return false;
}

/*
 * malloc and free in all ways but the exact one and the unsampled one, which are the short ways
 * through the hooks below. They are called last, hence jumped to, and find the hook's caller where
 * a hook finds its own.
 */
static __attribute__((noinline)) void *malloc_slowly(size_t size)
{
    struct thread *thread = &thread_self;
    ts_store_relaxed(&next_reached, true);
    if (enter(thread))
        return leave_with(thread, next.malloc(size), size, walk_caller());
    if (enter_sampling(thread))
        return leave_sampling(thread, next.malloc(size), size, walk_caller());
    return have_next() ? next.malloc(size) : arena_allocate(size, 16);
}

static __attribute__((noinline)) void free_slowly(void *block)
{
    forget(block);
    if (have_next())
        next.free(block);
}

void *malloc(size_t size)
{
    enum process_mode mode = process_mode_now();
    struct thread *thread = &thread_self;
    if (likely(mode == PROCESS_TRACING)) {
        size_t bytes = MACHINE_APART(size);
        if (!likely(enter_in(thread, mode)))
            return next.malloc(bytes);
        return leave_with(thread, next.malloc(bytes), bytes, walk_caller());
    }
    if (mode == PROCESS_SAMPLING && thread->busy == THREAD_FREE && sample_passes(thread, size))
        return next.malloc(size);
    return malloc_slowly(size);
}

void *hooks_malloc(size_t size) __attribute__((alias("malloc"), copy(malloc)));

void free(void *block)
{
    if (block == NULL || arena_holds(block))
        return;
    enum process_mode mode = process_mode_now();
    if (likely(mode == PROCESS_TRACING)) {
        void *gone = MACHINE_APART(block);
        forget_in(gone, mode);
        next.free(gone);
    } else if (mode == PROCESS_SAMPLING && !sample_may_know(block)) {
        next.free(block);
    } else {
        free_slowly(block);
    }
}

void *calloc(size_t count, size_t size)
{
    struct thread *thread = &thread_self;
    size_t product;
    if (!likely(enter_as_malloc(thread))) {
        if (enter_sampling(thread))
            return leave_sampling(thread, next.calloc(count, size), count * size, walk_caller());
        if (have_next())
            return next.calloc(count, size);
        return __builtin_mul_overflow(count, size, &product) ? NULL : arena_allocate(product, 16);
    }
    return leave_with(thread, next.calloc(count, size), count * size, walk_caller());
}

/* A block of the arena moves to the next allocator when it is resized. */
static void *realloc_from_arena(void *block, size_t size)
{
    size_t old = arena_size(block);
    void *moved = malloc(size);
    if (moved != NULL)
        __builtin_memcpy(moved, block, old < size ? old : size);
    return moved;
}

/* What realloc and reallocarray have in common around the call of the next one. */
struct resize {
    struct block old;
    bool known;
};

static inline void begin_resize(const void *block, struct resize *resize, bool sampling)
{
    record_notice(&thread_self);
    resize->known =
        sampling ? record_take_sampled(block, &resize->old) : record_take(block, &resize->old);
}

static inline __attribute__((always_inline)) void *
end_resize(struct thread *thread, struct resize *resize, void *old, void *block, size_t size,
           struct walk_start start, bool sampling)
{
    thread->busy = THREAD_IN_SHIM;
    if (block == NULL && size != 0) { /* refused: the old block stays */
        if (resize->known)
            record_put_back(thread, old, &resize->old);
        leave(thread);
        return NULL;
    }
    if (sampling) {
        if (resize->known)
            record_freed_sampled(thread, &resize->old);
        return leave_sampling(thread, block, size, start);
    }
    if (resize->known)
        record_freed(thread, &resize->old);
    return leave_with(thread, block, size, start);
}

void *realloc(void *block, size_t size)
{
    struct thread *thread = &thread_self;
    struct resize resize;
    if (arena_holds(block))
        return realloc_from_arena(block, size);
    if (!likely(enter(thread))) {
        if (enter_sampling(thread)) {
            begin_resize(block, &resize, true);
            return end_resize(thread, &resize, block, next.realloc(block, size), size,
                              walk_caller(), true);
        }
        if (block != NULL)
            forget_outside(thread, block, (uintptr_t)__builtin_frame_address(0));
        return have_next() ? next.realloc(block, size) : arena_allocate(size, 16);
    }
    begin_resize(block, &resize, false);
    return end_resize(thread, &resize, block, next.realloc(block, size), size, walk_caller(),
                      false);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    struct thread *thread = &thread_self;
    struct resize resize;
    size_t product;
    bool overflow = __builtin_mul_overflow(count, size, &product);
    if (overflow) {
        errno = ENOMEM;
        return NULL;
    }
    if (arena_holds(block))
        return realloc_from_arena(block, product);
    if (!likely(enter(thread))) {
        if (enter_sampling(thread)) {
            begin_resize(block, &resize, true);
            return end_resize(thread, &resize, block, next.reallocarray(block, count, size),
                              product, walk_caller(), true);
        }
        if (block != NULL)
            forget_outside(thread, block, (uintptr_t)__builtin_frame_address(0));
        return have_next() ? next.reallocarray(block, count, size) : arena_allocate(product, 16);
    }
    begin_resize(block, &resize, false);
    return end_resize(thread, &resize, block, next.reallocarray(block, count, size), product,
                      walk_caller(), false);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    struct thread *thread = &thread_self;
    if (!likely(enter(thread))) {
        if (enter_sampling(thread)) {
            int result = next.posix_memalign(block, alignment, size);
            leave_sampling(thread, result == 0 ? *block : NULL, size, walk_caller());
            return result;
        }
        if (have_next())
            return next.posix_memalign(block, alignment, size);
        *block = arena_allocate(size, alignment);
        return *block != NULL ? 0 : ENOMEM;
    }
    int result = next.posix_memalign(block, alignment, size);
    leave_with(thread, result == 0 ? *block : NULL, size, walk_caller());
    return result;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    struct thread *thread = &thread_self;
    if (!likely(enter(thread))) {
        if (enter_sampling(thread))
            return leave_sampling(thread, next.aligned_alloc(alignment, size), size, walk_caller());
        return have_next() ? next.aligned_alloc(alignment, size) : arena_allocate(size, alignment);
    }
    return leave_with(thread, next.aligned_alloc(alignment, size), size, walk_caller());
}

void *memalign(size_t alignment, size_t size)
{
    struct thread *thread = &thread_self;
    if (!likely(enter(thread))) {
        if (enter_sampling(thread))
            return leave_sampling(thread, next.memalign(alignment, size), size, walk_caller());
        return have_next() ? next.memalign(alignment, size) : arena_allocate(size, alignment);
    }
    return leave_with(thread, next.memalign(alignment, size), size, walk_caller());
}

void *valloc(size_t size)
{
    struct thread *thread = &thread_self;
    if (!likely(enter(thread))) {
        if (enter_sampling(thread))
            return leave_sampling(thread, next.valloc(size), size, walk_caller());
        return have_next() ? next.valloc(size) : arena_allocate(size, 4096);
    }
    return leave_with(thread, next.valloc(size), size, walk_caller());
}

void *pvalloc(size_t size)
{
    struct thread *thread = &thread_self;
    if (!likely(enter(thread))) {
        if (enter_sampling(thread))
            return leave_sampling(thread, next.pvalloc(size), size, walk_caller());
        return have_next() ? next.pvalloc(size) : arena_allocate(size, 4096);
    }
    return leave_with(thread, next.pvalloc(size), size, walk_caller());
}

size_t malloc_usable_size(void *block)
{
    if (block != NULL && arena_holds(block))
        return arena_size(block);
    return have_next() && next.malloc_usable_size != NULL ? next.malloc_usable_size(block) : 0;
}

void cfree(void *block)
{
    free(block);
}

void free_sized(void *block, size_t size)
{
    if (block == NULL || arena_holds(block))
        return;
    forget(block);
    if (!have_next())
        return;
    if (next.free_sized != NULL)
        next.free_sized(block, size);
    else
        next.free(block);
}

void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    if (block == NULL || arena_holds(block))
        return;
    forget(block);
    if (!have_next())
        return;
    if (next.free_aligned_sized != NULL)
        next.free_aligned_sized(block, alignment, size);
    else
        next.free(block);
}

int dlclose(void *handle)
{
    if (!have_next() || next.dlclose == NULL)
        return -1;
    modules_closing(&thread_self);
    int result = next.dlclose(handle);
    modules_closed(&thread_self);
    python_closed();
    return result;
}

int pthread_setname_np(pthread_t thread, const char *name)
{
    if (!have_next() || next.pthread_setname_np == NULL)
        return ENOSYS;
    int result = next.pthread_setname_np(thread, name);
    if (result == 0 && pthread_equal(thread, pthread_self()) && process_is_tracing())
        threads_named(&thread_self, name);
    return result;
}

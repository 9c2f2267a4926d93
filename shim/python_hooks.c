/*
 * The hooks of CPython's allocator domains.
 *
 * Who may set them, and when: PyMem_SetAllocator stores five words, and who allocates at this
 * moment in another thread reads some of them. So they are set before the interpreter is
 * initialised, when only one thread uses it, or, for mem and obj, by a thread that holds its lock.
 *
 * Each setting has a record of its own that says what was there before: whoever was set on top of
 * an earlier one of ours (the debug hooks, tracemalloc) calls that one, which must not call him
 * again.
 */
#include "shim/python_hooks.h"
#include "shim/enter.h"
#include "shim/python.h"
#include "shim/python_codes.h"
#include "shim/record_usual.h"
#include "shim/symbols.h"

#define SETTINGS_MAX 8

/* PyMemAllocatorEx (Include/cpython/pymem.h), since 3.5. */
struct allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
};

/* PyObjectArenaAllocator (Include/cpython/objimpl.h). */
struct arenas {
    void *ctx;
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *arena, size_t size);
};

struct setting {
    struct allocator next;
    enum ts_domain domain; /* TS_DOMAIN_LIBC = the setting is not in use */
    uintptr_t start, end;  /* of the object that next.malloc is in */
};

static struct setting settings[SETTINGS_MAX][TS_DOMAIN_COUNT];
static uint32_t late; /* 1 = the interpreter was initialised before it was met */
static struct arenas next_arenas;

static void (*get_allocator)(int domain, struct allocator *allocator);
static void (*set_allocator)(int domain, struct allocator *allocator);
static void (*get_arenas)(struct arenas *arenas);
static void (*set_arenas)(struct arenas *arenas);

/* CPython's numbers of the domains (PyMemAllocatorDomain). */
static int number_of(enum ts_domain domain)
{
    return (int)domain - TS_DOMAIN_RAW;
}

static inline __attribute__((always_inline)) void *leave_python(struct thread *thread, void *block,
                                                                size_t size,
                                                                struct walk_start start,
                                                                enum ts_domain domain)
{
    thread->busy = THREAD_IN_SHIM;
    if (likely(block != NULL))
        record_python(thread, block, size, &start, domain);
    leave(thread);
    return block;
}

/* The same with the usual case in it, for who is called most. */
static inline __attribute__((always_inline)) void *leave_python_fast(struct thread *thread,
                                                                     void *block, size_t size,
                                                                     struct walk_start start,
                                                                     enum ts_domain domain)
{
    thread->busy = THREAD_IN_SHIM;
    if (likely(block != NULL) && !likely(python_usual(thread, block, size, &start, domain))) {
        struct walk_start kept = start; /* whose address is taken: start stays in registers */
        record_python_slowly(thread, block, size, &kept, domain);
    }
    leave(thread);
    return block;
}

static void *leave_sampling_python(struct thread *thread, void *block, size_t size,
                                   struct walk_start start, enum ts_domain domain)
{
    thread->domain = domain;
    leave_sampling(thread, block, size, start);
    thread->domain = TS_DOMAIN_LIBC;
    return block;
}

static void *python_malloc(void *ctx, size_t size)
{
    const struct setting *setting = ctx;
    struct thread *thread = &thread_self;
    enum process_mode mode = process_mode_now();
    if (likely(mode == PROCESS_TRACING && thread->busy == THREAD_FREE) ||
        (mode != PROCESS_SAMPLING && enter_slowly(thread, (uintptr_t)__builtin_frame_address(0)))) {
        set_busy(thread, THREAD_IN_NEXT);
        void *block = setting->next.malloc(setting->next.ctx, size);
        return leave_python_fast(thread, block, size, walk_caller(), setting->domain);
    }
    if (enter_sampling(thread))
        return leave_sampling_python(thread, setting->next.malloc(setting->next.ctx, size), size,
                                     walk_caller(), setting->domain);
    if (mode == PROCESS_SAMPLING) /* a call within another, or one that a handler left behind */
        enter_slowly(thread, (uintptr_t)__builtin_frame_address(0));
    return setting->next.malloc(setting->next.ctx, size);
}

static void *python_calloc(void *ctx, size_t count, size_t size)
{
    const struct setting *setting = ctx;
    struct thread *thread = &thread_self;
    if (likely(enter(thread)))
        return leave_python(thread, setting->next.calloc(setting->next.ctx, count, size),
                            count * size, walk_caller(), setting->domain);
    if (enter_sampling(thread))
        return leave_sampling_python(thread, setting->next.calloc(setting->next.ctx, count, size),
                                     count * size, walk_caller(), setting->domain);
    return setting->next.calloc(setting->next.ctx, count, size);
}

/* A block of nothing is a block: CPython's realloc(p, 0) gives one. */
static void *python_realloc(void *ctx, void *block, size_t size)
{
    const struct setting *setting = ctx;
    struct thread *thread = &thread_self;
    struct block old;
    bool exact = likely(enter(thread)), sampling = !exact && enter_sampling(thread);
    if (!exact && !sampling)
        return setting->next.realloc(setting->next.ctx, block, size);
    record_notice(thread);
    bool known = block != NULL && record_take_either(block, &old);
    void *moved = setting->next.realloc(setting->next.ctx, block, size);
    thread->busy = THREAD_IN_SHIM;
    if (moved == NULL) {
        if (known)
            record_put_back(thread, block, &old);
        leave(thread);
        return NULL;
    }
    if (known)
        record_freed_either(thread, &old);
    if (sampling)
        return leave_sampling_python(thread, moved, size, walk_caller(), setting->domain);
    return leave_python(thread, moved, size, walk_caller(), setting->domain);
}

#define TELL_EVERY 16384u /* frees of a thread */

static __attribute__((noinline)) void tell(struct thread *thread, enum ts_domain domain)
{
    thread->python_frees = TELL_EVERY - 1;
    if (process_is_tracing() && domain != TS_DOMAIN_RAW)
        python_tell();
}

/* Before a block is given back: code objects and thread states are not small. */
static inline __attribute__((always_inline)) void forget_fast(struct thread *thread,
                                                              const void *block)
{
    uint64_t size = UINT64_MAX;
    enum process_mode mode = process_mode_now();
    if (likely(mode == PROCESS_TRACING && thread->busy == THREAD_FREE)) {
        set_busy(thread, THREAD_IN_SHIM);
        if (!likely(free_usual(thread, block, &size))) {
            record_free_slowly(thread, block);
            size = UINT64_MAX;
        }
        leave(thread);
    } else if (mode != PROCESS_SAMPLING || sample_may_know(block)) {
        forget(block);
    }
    if (size >= CODES_SIZE_MIN)
        codes_freed(block);
}

/*
 * What a domain gives on to another one or to free() is the same block: thread->freeing tells their
 * hooks.
 */
static void python_free(void *ctx, void *block)
{
    const struct setting *setting = ctx;
    struct thread *thread = &thread_self;
    if (block == NULL || thread->freeing == block) {
        setting->next.free(setting->next.ctx, block);
        return;
    }
    forget_fast(thread, block);
    thread->freeing = block;
    setting->next.free(setting->next.ctx, block);
    thread->freeing = NULL;
    if (__builtin_expect(--thread->python_frees < 0, 0))
        tell(thread, setting->domain);
}

static bool same_allocator(const struct allocator *a, const struct allocator *b)
{
    return a->ctx == b->ctx && a->malloc == b->malloc && a->calloc == b->calloc &&
           a->realloc == b->realloc && a->free == b->free;
}

/* The setting for what is there now: an earlier one where that was there before. NULL: none is
 * left. */
static struct setting *setting_for(enum ts_domain domain, const struct allocator *now)
{
    for (uint32_t i = 0; i < SETTINGS_MAX; i++) {
        struct setting *setting = &settings[i][domain];
        if (setting->domain == TS_DOMAIN_LIBC) {
            setting->next = *now;
            modules_bounds((uintptr_t)now->malloc, &setting->start, &setting->end);
            setting->domain = domain;
            return setting;
        }
        if (same_allocator(&setting->next, now))
            return setting;
    }
    return NULL;
}

/* An allocator that the program gave the interpreter may call malloc: part of the outer call. */
bool python_hooks_call(uintptr_t pc)
{
    for (uint32_t i = 0; i < SETTINGS_MAX; i++)
        for (enum ts_domain domain = TS_DOMAIN_RAW; domain < TS_DOMAIN_COUNT; domain++)
            if (pc - settings[i][domain].start <
                settings[i][domain].end - settings[i][domain].start)
                return true;
    return false;
}

/*
 * Sets our hooks on top of what is there, unless that is ours. Where they cannot be set, nobody
 * would notice that a code object or a thread state dies: there are no Python lines any more.
 */
static void set(enum ts_domain domain)
{
    struct allocator now;
    get_allocator(number_of(domain), &now);
    if (now.malloc == python_malloc)
        return;
    struct setting *setting = setting_for(domain, &now);
    if (setting == NULL) {
        ts_store_release(&region_header->process.python, TS_PYTHON_ALLOCATORS);
        ts_store_release(&python.reading, PYTHON_READING_NOT);
        return;
    }
    now = (struct allocator){setting, python_malloc, python_calloc, python_realloc, python_free};
    set_allocator(number_of(domain), &now);
}

static bool is_set(enum ts_domain domain)
{
    struct allocator now;
    get_allocator(number_of(domain), &now);
    return now.malloc == python_malloc;
}

static void *arena_alloc(void *ctx, size_t size)
{
    (void)ctx;
    void *arena = next_arenas.alloc(next_arenas.ctx, size);
    if (arena != NULL)
        ts_add_relaxed(&region_header->process.interpreter.arena_bytes, size);
    return arena;
}

static void arena_free(void *ctx, void *arena, size_t size)
{
    (void)ctx;
    ts_add_relaxed(&region_header->process.interpreter.arena_bytes, -(uint64_t)size);
    next_arenas.free(next_arenas.ctx, arena, size);
}

static void set_arena_hooks(void)
{
    struct arenas ours = {NULL, arena_alloc, arena_free};
    if (get_arenas == NULL || set_arenas == NULL)
        return;
    get_arenas(&next_arenas);
    set_arenas(&ours);
}

static void set_all(void)
{
    set(TS_DOMAIN_RAW);
    set(TS_DOMAIN_MEM);
    set(TS_DOMAIN_OBJ);
}

/*
 * The configuration of an interpreter replaces all domains. For raw alone CPython sets its default,
 * for a moment, again and again, and then what was there before: also where that was not ours yet.
 *
 * Where the interpreter was there first, only a thread that holds its lock may set mem and obj;
 * what raw gives is then malloc's, and nobody sees thread states die (python.h).
 */
void python_look_after(void)
{
    if (__builtin_expect(ts_load_acquire(&python.gone), 0)) {
        python_meet_again();
        return;
    }
    if (!python.initialized()) {
        if (!is_set(TS_DOMAIN_OBJ) || !is_set(TS_DOMAIN_RAW))
            set_all();
    } else if (__builtin_expect(ts_load_relaxed(&late), 0)) {
        uintptr_t state = (uintptr_t)python.state();
        if (state == 0 || !python_is_own(state))
            return;
        ts_store_relaxed(&late, 0);
        set(TS_DOMAIN_MEM);
        set(TS_DOMAIN_OBJ);
    }
}

bool python_hooks_start(const struct link_map *map)
{
    static const char *const names[] = {"PyMem_GetAllocator", "PyMem_SetAllocator",
                                        "PyObject_GetArenaAllocator", "PyObject_SetArenaAllocator"};
    uintptr_t found[4] = {0};
    size_t size;
    for (int i = 0; i < 4; i++)
        symbols_of_object(map, names[i], &found[i], &size);
    get_allocator = (void (*)(int, struct allocator *))found[0];
    set_allocator = (void (*)(int, struct allocator *))found[1];
    get_arenas = (void (*)(struct arenas *))found[2];
    set_arenas = (void (*)(struct arenas *))found[3];
    if (found[0] == 0 || found[1] == 0)
        return false;
    late = python.initialized() != 0;
    ts_store_relaxed(&python.unseen, late);
    if (!late) {
        set_all();
        set_arena_hooks();
    }
    return region_header->process.python == TS_PYTHON_TRACED;
}

/*
 * The life of the traced process. Starting is lazy, since others' constructors allocate before ours
 * runs, and happens once; a forked child starts anew at its first allocation. Nothing is torn down
 * at the end: other destructors still free.
 */
#include "shim/process.h"
#include "region/name.h"
#include "shim/contexts.h"
#include "shim/libunwind.h"
#include "shim/modules.h"
#include "shim/next.h"
#include "shim/options.h"
#include "shim/record.h"
#include "shim/region.h"
#include "shim/region_file.h"
#include "shim/rules.h"
#include "shim/sample.h"
#include "shim/system.h"
#include "shim/threads.h"

#include <stdlib.h>
#include <unistd.h>

static uint32_t first_mode = PROCESS_NEW;
uint32_t *process_mode = &first_mode;

static uint32_t starting; /* 1 while one thread starts */
static bool started;      /* tables and index are there; also in a forked child */
static uint32_t main_pid;

const char *process_variable(const char *name)
{
    return secure_getenv(name);
}

static void set_mode(enum process_mode mode)
{
    ts_store_release(process_mode, (uint32_t)mode);
}

static void forked(void)
{
    if (started && sys_getpid() != main_pid)
        set_mode(PROCESS_NEW);
}

/* A page that a forked child finds empty. Where the kernel refuses, a fork handler does it (and
 * misses clone). */
static void make_mode_page(void)
{
    uint32_t *page = memory_map(4096, true);
    if (page != NULL && !sys_failed(sys_madvise(page, 4096, MADV_WIPEONFORK)))
        process_mode = page;
    else
        pthread_atfork(NULL, NULL, forked);
}

/* The nearest that two blocks of the next allocator can be; 8 where it does not tell. */
static size_t granule(void)
{
    void *one = next.malloc_usable_size != NULL ? next.malloc(1) : NULL;
    if (one == NULL)
        return 8;
    size_t usable = next.malloc_usable_size(one);
    next.free(one);
    if (usable >= 24)
        return 32; /* glibc's smallest chunk is 32 bytes, 24 of them usable */
    return usable >= 16 ? 16 : 8;
}

/*
 * The hook of malloc leaves no mark on its thread when a block is not sampled. A next malloc that
 * calls another function of the family by name would have each block decided on twice: then every
 * one is recorded instead. Asked after the next allocator's first block, which may be special.
 */
static void check_sampling(void)
{
    if (options.sample == 0)
        return;
    thread_self.nested = false;
    next.free(next.malloc(1));
    if (!thread_self.nested)
        return;
    options.sample = 0;
    if (options.verbose)
        options_say("no sampling", "malloc", "it calls other allocating functions by name");
}

/* follow=0: what a traced process started is not traced. */
static bool is_unwanted_child(void)
{
    return !options.follow && region_file_ancestor_is_traced();
}

/* Once: what is wrong in them is told once. */
static void read_options(void)
{
    static bool done;
    if (!done)
        options_read(process_variable(TS_OPTIONS_VARIABLE));
    done = true;
}

static bool start(void)
{
    read_options();
    main_pid = sys_getpid();
    if (is_unwanted_child() || !rules_start() || !index_start(granule()))
        return false;
    check_sampling();
    if (!region_create())
        return false;
    if (!contexts_start()) {
        region_disown(true);
        return false;
    }
    make_mode_page();
    sample_start();
    threads_start();
    started = true;
    return true;
}

static bool start_child(void)
{
    main_pid = sys_getpid();
    libunwind_forked();
    contexts_forked();
    index_forked();
    modules_forked(&thread_self);
    sample_forked(&thread_self);
    if (!options.follow || !region_fork()) {
        region_disown(false);
        return false;
    }
    record_inherited(&thread_self);
    return true;
}

bool process_is_own(void)
{
    return started && sys_getpid() == main_pid;
}

bool process_is_fresh_child(void)
{
    return started && ts_load_acquire(process_mode) == PROCESS_NEW;
}

__attribute__((noinline)) bool process_begin(void)
{
    uint32_t nobody = 0;
    if (ts_load_acquire(process_mode) == PROCESS_OFF)
        return false;
    /* No environment: libc is not ready. Later it says nothing, a program may clear it. */
    if ((!started && environ == NULL) || !next_resolve() || (!started && !next_comes_to_us()) ||
        !ts_cas_acq_rel(&starting, &nobody, 1)) {
        region_drop(TS_DROP_EARLY);
        return false;
    }
    uint32_t busy = thread_self.busy;
    thread_self.busy_frame = 0;
    thread_self.busy = THREAD_IN_NEXT; /* what is allocated meanwhile is ours */
    bool tracing = started ? start_child() : start();
    if (tracing)
        ts_store_release(&region_header->ready, 1);
    enum process_mode traced = options.sample != 0 ? PROCESS_SAMPLING : PROCESS_TRACING;
    set_mode(tracing ? traced : PROCESS_OFF);
    thread_self.busy = busy;
    ts_store_release(&starting, 0);
    return tracing;
}

/* Why nothing may ever be recorded; the other reasons are told where they are found. */
static void explain(void)
{
    if (started || next_comes_to_us())
        return;
    read_options();
    if (options.verbose)
        options_say("not traced before it calls the shim's malloc", "malloc",
                    "the program, valgrind or a library before it in LD_PRELOAD has its own");
}

static __attribute__((constructor)) void construct(void)
{
    next_resolve();
    if (!process_is_tracing() && !process_begin()) {
        explain();
        return;
    }
    thread_self.busy_frame = 0;
    thread_self.busy = THREAD_IN_NEXT;
    libunwind_start();
    thread_self.busy = THREAD_FREE;
}

static __attribute__((destructor)) void destruct(void)
{
    if (process_is_tracing() && sys_getpid() == main_pid)
        region_end(TS_STATE_EXITED);
}

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
#include "shim/python.h"
#include "shim/python_codes.h"
#include "shim/record.h"
#include "shim/region.h"
#include "shim/region_file.h"
#include "shim/rules.h"
#include "shim/sample.h"
#include "shim/sandbox.h"
#include "shim/stack.h"
#include "shim/system.h"
#include "shim/threads.h"

#include <stdlib.h>
#include <unistd.h>

static struct process_page first_page; /* not emptied by fork */
struct process_page *process_page = &first_page;

static bool begun;   /* some thread came to start(); also in a forked child */
static bool started; /* tables and index are there; also in a forked child */
static uint32_t main_pid;

const char *process_variable(const char *name)
{
    return secure_getenv(name);
}

static void set_mode(enum process_mode mode)
{
    ts_store_release(&process_page->mode, (uint32_t)mode);
}

/* Not traced, and neither is what this process forks: in a page that fork leaves as it is. */
static void give_up(void)
{
    first_page.mode = PROCESS_OFF;
    ts_store_release(&process_page, &first_page);
}

void process_make_page(void)
{
    struct process_page *page, *none = &first_page;
    if (ts_load_acquire(&process_page) != &first_page || (page = memory_map(4096, true)) == NULL)
        return;
    if (sys_failed(sys_madvise(page, 4096, MADV_WIPEONFORK)) ||
        !ts_cas_acq_rel(&process_page, &none, page))
        memory_unmap(page, 4096);
}

/* Tells the last process before this one that has a region. */
static void tell_untraced(void)
{
    if (options.follow)
        region_drop(TS_DROP_UNTRACED);
}

/*
 * By pthread_atfork, in the child's one thread: what it holds is its parent's. In a child that libc
 * does not know of (clone, _Fork) the page's `settled` stays 0. Where the kernel refused to empty
 * the page, this does, and misses those.
 */
static void forked(void)
{
    struct thread *thread = &thread_self;
    bool again = started && sys_getpid() == main_pid; /* another's handler allocated before */
    if (process_mode_now() == PROCESS_OFF || again)
        return;
    if (process_page == &first_page)
        first_page = (struct process_page){.mode = PROCESS_NEW};
    if (!started)
        return;
    if (thread->busy != THREAD_FREE) {
        /* A signal handler forked in the midst of a record, which this child will go on to write:
         * into memory of its own. */
        tell_untraced();
        region_keep_private();
        give_up();
        return;
    }
    record_settle(thread);
    sample_forked(thread);
    modules_forked(thread);
    ts_store_release(&process_page->settled, 1);
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
    if (main_pid > INT32_MAX || !sandbox_allows_start())
        return false;
    stack_start();
    if (is_unwanted_child() || !rules_start() || !index_start(granule()))
        return false;
    check_sampling();
    if (!region_create())
        return false;
    if (!contexts_start()) {
        region_disown(true);
        return false;
    }
    sample_start();
    threads_start();
    python_start();
    started = true;
    return true;
}

/*
 * The thread that forked may still hold counters of its parent's, and only it can let go of them.
 * Where libc's handlers did not run, it must be the one that starts: the child's first thread has
 * its pid.
 */
static bool is_settled(void)
{
    return ts_load_acquire(&process_page->settled) || sys_gettid() == sys_getpid();
}

/*
 * Any step of this may have been done before: by a thread that was at it when another one forked
 * this process.
 */
static bool start_child(void)
{
    if (!options.follow || !sandbox_allows_child() || !is_settled())
        return false;
    main_pid = sys_getpid();
    if (main_pid > INT32_MAX)
        return false;
    libunwind_forked();
    contexts_forked();
    codes_forked();
    python_forked();
    index_forked();
    if (!ts_load_acquire(&process_page->settled)) {
        modules_forked(&thread_self);
        sample_forked(&thread_self);
    }
    if (!region_fork())
        return false;
    record_inherited(&thread_self);
    return true;
}

/* In the one thread that starts. False: the process is not traced. */
static bool start_either(void)
{
    enum process_mode now = process_mode_now();
    if (now != PROCESS_NEW) /* another thread was faster */
        return now != PROCESS_OFF;
    if (!begun) {
        begun = true;
        return start();
    }
    /* Not started: forked while its parent was only starting. */
    if (started && start_child())
        return true;
    tell_untraced();
    region_disown(false);
    return false;
}

/* Where a filter kills for getpid, who asks is taken for the process itself: a vfork child that
 * does not exec at once is rarer still. */
static bool is_main(void)
{
    return !sys_may(SYS_LIST_GETPID) || sys_getpid() == main_pid;
}

bool process_owns_memory(void)
{
    if (process_mode_now() == PROCESS_OFF)
        return false;
    return !started || process_is_fresh_child() || is_main();
}

bool process_is_fresh_child(void)
{
    return started && ts_load_acquire(&process_page->mode) == PROCESS_NEW;
}

/* Whoever comes second, the thread that drops or the one that starts, sees what the first did. */
static void collect_early(void)
{
    uint32_t drops = ts_exchange_acq_rel(&process_page->early, 0);
    if (drops != 0)
        ts_add_relaxed(&region_header->drops[TS_DROP_EARLY], drops);
}

void process_early(void)
{
    ts_add_acq_rel(&process_page->early, 1);
    ts_fence_seq_cst();
    if (process_is_tracing())
        collect_early();
}

void process_took_inherited(void)
{
    ts_fence_seq_cst(); /* the block was taken out before we look */
    if (ts_load_acquire(&process_page->starting) ||
        ts_load_acquire(&process_page->mode) != PROCESS_NEW)
        process_early();
}

__attribute__((noinline)) bool process_begin(void)
{
    uint32_t nobody = 0;
    struct process_page *page = NULL;
    if (ts_load_acquire(&process_page->mode) == PROCESS_OFF)
        return false;
    /* No environment: libc is not ready. Later it says nothing, a program may clear it. */
    if ((started || environ != NULL) && next_resolve() && (started || next_comes_to_us()))
        page = ts_load_acquire(&process_page);
    if (page == NULL || !ts_cas_acq_rel(&page->starting, &nobody, 1)) {
        process_early();
        return false;
    }
    uint32_t busy = thread_self.busy;
    thread_self.busy_frame = 0;
    thread_self.busy = THREAD_IN_NEXT; /* what is allocated meanwhile is ours */
    bool tracing = start_either();
    if (tracing) {
        ts_store_release(&region_header->ready, 1);
        set_mode(options.sample != 0 ? PROCESS_SAMPLING : PROCESS_TRACING);
        collect_early();
    } else {
        give_up();
    }
    thread_self.busy = busy;
    ts_store_release(&page->starting, 0);
    return tracing;
}

/* Why nothing may ever be recorded; the other reasons are told where they are found. */
static void explain(void)
{
    if (started || next_comes_to_us())
        return;
    read_options();
    if (options.verbose)
        options_say("nothing recorded: not the shim's", "malloc",
                    "the program, valgrind or a library before it in LD_PRELOAD has its own");
}

static void load_libunwind(void)
{
    thread_self.busy_frame = 0;
    thread_self.busy = THREAD_IN_NEXT;
    libunwind_start();
    thread_self.busy = THREAD_FREE;
}

static __attribute__((constructor)) void construct(void)
{
    if (next_resolve())
        sandbox_start();
    pthread_atfork(NULL, NULL, forked);
    bool early = !process_is_tracing() && !next_comes_to_us();
    if (early) {
        /* What the loader allocates for it shows whether malloc comes to us after all: through a
         * library before us, or by an address that the program gives to malloc itself. */
        read_options();
        load_libunwind();
    }
    /* Asked before, since nothing is lost here that could be counted. */
    if (!process_is_tracing() && !(next_comes_to_us() && process_begin())) {
        explain();
        return;
    }
    if (!early)
        load_libunwind();
}

static __attribute__((destructor)) void destruct(void)
{
    if (process_is_tracing() && is_main())
        region_end(TS_STATE_EXITED);
}

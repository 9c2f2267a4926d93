/*
 * A CPython interpreter in the traced process: found by its symbols, its allocator domains hooked,
 * its frames read. Everything that knows CPython lies in the files python*; the rest of the shim
 * asks `python.on` and calls what stands here.
 *
 * Which frames may be read: those of the calling thread, whose thread state is the current one, or
 * was when the thread last held the interpreter's lock; nobody else changes them. The thread holds
 * references to the code objects of its frames, so they live as long as it is in the hook.
 */
#ifndef TRACESNAP_SHIM_PYTHON_H
#define TRACESNAP_SHIM_PYTHON_H

#include "region/atomic.h"
#include "region/python.h"
#include "shim/modules.h"
#include "shim/own.h"
#include "shim/python_layout.h"
#include "shim/thread.h"

#include <link.h>
#include <pthread.h>

enum python_reading {
    PYTHON_READING_NOT,       /* there are no Python lines */
    PYTHON_READING_CAREFULLY, /* see python_proof.h; with verify=1 for ever */
    PYTHON_READING
};

struct python {
    uint32_t on; /* 1 = there are Python lines, or may be: stacks are looked for by capture_python.
                    By release, never taken back */
    uint32_t reading; /* enum python_reading; by release */
    uint32_t proven;  /* stacks that were read with care, and were what they should be; relaxed */
    uint32_t codes_gone;  /* steps when a code object dies that had a number (python_codes.c) */
    uint32_t states_gone; /* steps when a thread state dies that some thread remembers */
    uint32_t unseen; /* 1 = raw is not hooked, and nobody sees thread states die: one is only taken
                        for alive while it is the current one. Relaxed */
    uint32_t met;  /* how far modules were asked whether they are an interpreter (modules_count) */
    uint32_t gone; /* 1 = its object was unloaded: nothing of it may be called until it, or
                      another, is met. By release */
    struct python_layout layout;
    uintptr_t code_type, string_type, bytes_type; /* PyCode_Type, PyUnicode_Type, PyBytes_Type */
    uintptr_t start, end;                         /* of the interpreter's own object */
    uintptr_t loop, loop_end;                     /* _PyEval_EvalFrameDefault */
    void *(*state)(void);                         /* the current thread state, or NULL */
    int (*initialized)(void);
    const uintptr_t *current; /* the variable that `state` returns, or NULL: it must be called */
    const uint32_t *ready;    /* the same of `initialized` */
    void *(*main_interpreter)(void); /* PyInterpreterState_Main */
    const uint8_t *runtime;          /* _PyRuntime, or NULL */
};

SHIM_OWN struct python python;

/* At the start of the process: looks for an interpreter. The first one found is it. */
void python_start(void);

/* Whether modules were met since that may be one; asked where a stack is new, outside of any walk.
 */
void python_meet_new(void);

static inline void python_meet_any(void)
{
    if (__builtin_expect(ts_load_relaxed(&python.met) != modules_count(), 0))
        python_meet_new();
}

/* The interpreter is gone: whether it was opened again. */
void python_meet_again(void);

/* After a dlclose, and in a forked child. */
void python_closed(void);
void python_forked(void);

/* Before a stack is looked at that may be new: the interpreter's configuration may have replaced
 * the hooks. */
void python_look_after(void);

/* Tells the region what the collector says of itself; by who holds the interpreter's lock, now and
 * then. */
void python_tell(void);

/* The same, if the calling thread holds the lock and has allocated by mem or obj before. */
void python_tell_held(struct thread *thread);

/* Whether pc lies in the interpreter, whose allocators call each other and malloc. */
static inline bool python_holds(uintptr_t pc)
{
    return pc - python.start < python.end - python.start;
}

/* Whether a thread state is the calling thread's. It says which thread made it, and pthread_self()
 * is what CPython calls that. */
static inline bool python_is_own(uintptr_t state)
{
    return *(const uintptr_t *)(state + python.layout.state_thread_id) == (uintptr_t)pthread_self();
}

static inline uintptr_t python_current(void)
{
    return likely(python.current != NULL) ? ts_load_relaxed(python.current)
                                          : (uintptr_t)python.state();
}

static inline bool python_is_ready(void)
{
    return likely(python.ready != NULL) ? ts_load_relaxed(python.ready) != 0
                                        : python.initialized() != 0;
}

/* The calling thread's state is another one than before: remembers it, if it is the thread's. */
uintptr_t python_remember(struct thread *thread, uintptr_t state);

/* Some thread state died: whether the one that the thread remembers lives on; 0 if not. */
uintptr_t python_recall(struct thread *thread);

/*
 * The thread state whose frames are the calling thread's, or 0. held: the caller must have the
 * interpreter's lock (domains mem and obj).
 */
static inline uintptr_t python_state(struct thread *thread, bool held)
{
    bool same = thread->python_gone == ts_load_relaxed(&python.states_gone);
    if (held) {
        uintptr_t state = python_current();
        return likely(same && state == thread->python_state) ? state
                                                             : python_remember(thread, state);
    }
    uintptr_t state = likely(same) ? thread->python_state : python_recall(thread);
    return state != 0 && python_is_ready() ? state : 0;
}

#endif

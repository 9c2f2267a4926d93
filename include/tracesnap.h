/*
 * tracesnap.h - what a program may ask the tracer that it runs under.
 *
 * Nothing to link: the functions find the preloaded libtracesnap.so when it is there, and do
 * nothing when it is not (they return what each comment calls "not traced"). The names and meanings
 * are those of Python's tracemalloc module. All functions may be called from any thread, none from
 * a signal handler. A Python program calls them by ctypes.PyDLL(None), which keeps the
 * interpreter's lock, so that a snapshot is of one moment (docs/python-memory.md).
 *
 *     if (tracesnap_is_tracing())
 *         tracesnap_take_snapshot("before.tsnap");
 */
#ifndef TRACESNAP_H
#define TRACESNAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One frame of a stack: where in which file. `tracesnap` or addr2line turn it into a line. Of a
 * Python frame: the source file, and where in the code object's instructions, in bytes.
 */
struct tracesnap_frame {
    const char *object; /* path of the executable or library; "" for generated code and marks */
    uint64_t offset;    /* ELF virtual address in it */
};

/*
 * The library's side; call the functions below instead. Their addresses are asked for through the
 * global offset table: in a program that is not position-independent, the linker would settle a
 * plain weak reference as 0 for good.
 */
#define TRACESNAP_WEAK __attribute__((weak))
int tracesnap_preloaded_start(void) TRACESNAP_WEAK;
int tracesnap_preloaded_stop(void) TRACESNAP_WEAK;
int tracesnap_preloaded_is_tracing(void) TRACESNAP_WEAK;
int tracesnap_preloaded_clear_traces(void) TRACESNAP_WEAK;
int tracesnap_preloaded_reset_peak(void) TRACESNAP_WEAK;
int tracesnap_preloaded_get_traced_memory(size_t *, size_t *) TRACESNAP_WEAK;
size_t tracesnap_preloaded_get_object_traceback(const void *, struct tracesnap_frame *,
                                                size_t) TRACESNAP_WEAK;
int tracesnap_preloaded_take_snapshot(const char *) TRACESNAP_WEAK;

#if defined(__x86_64__) && defined(__LP64__)
#define TRACESNAP_FIND(name)                                                                       \
    __extension__({                                                                                \
        __typeof__(&name) found_;                                                                  \
        __asm__(".weak " #name "\n\tmovq " #name "@GOTPCREL(%%rip), %0" : "=r"(found_));           \
        found_;                                                                                    \
    })
#else
#define TRACESNAP_FIND(name) (&name)
#endif

/* Calls the library's function, or gives `missing`. */
#define TRACESNAP_CALL(name, arguments, missing)                                                   \
    (TRACESNAP_FIND(name) ? TRACESNAP_FIND(name) arguments : (missing))

/* Goes on recording after stop() or TRACESNAP_OPTIONS=paused=1. 0, or -1 when not traced. */
static inline int tracesnap_start(void)
{
    return TRACESNAP_CALL(tracesnap_preloaded_start, (), -1);
}

/* Stops recording and forgets all traces. 0, or -1 when not traced. */
static inline int tracesnap_stop(void)
{
    return TRACESNAP_CALL(tracesnap_preloaded_stop, (), -1);
}

/* 1 when allocations are being recorded, else 0. */
static inline int tracesnap_is_tracing(void)
{
    return TRACESNAP_CALL(tracesnap_preloaded_is_tracing, (), 0);
}

/* Forgets all traces and counts; recording goes on as it was. 0, or -1 when not traced. */
static inline int tracesnap_clear_traces(void)
{
    return TRACESNAP_CALL(tracesnap_preloaded_clear_traces, (), -1);
}

/* The peak becomes what is live now. 0, or -1 when not traced. */
static inline int tracesnap_reset_peak(void)
{
    return TRACESNAP_CALL(tracesnap_preloaded_reset_peak, (), -1);
}

/*
 * Bytes live now and at the peak; within 1 % with several threads, with one exact (a peak above 1
 * MiB: within 0.03 %). Estimates where allocations are sampled. Either pointer may be NULL. 0, or
 * -1 and zeros when not traced.
 */
static inline int tracesnap_get_traced_memory(size_t *current, size_t *peak)
{
    if (current)
        *current = 0;
    if (peak)
        *peak = 0;
    return TRACESNAP_CALL(tracesnap_preloaded_get_traced_memory, (current, peak), -1);
}

/*
 * The stack that allocated a live block, innermost frame first, at most `max` frames. Returns how
 * many frames were stored; 0 when the block is not known (also because it was not sampled) or the
 * program is not traced. `object` stays valid.
 */
static inline size_t tracesnap_get_object_traceback(const void *block,
                                                    struct tracesnap_frame *frames, size_t max)
{
    return TRACESNAP_CALL(tracesnap_preloaded_get_object_traceback, (block, frames, max), 0);
}

/*
 * Saves what is known now to a file that `tracesnap stats` and `tracesnap diff` read. 0; -1 when
 * not traced or when the file cannot be written (errno says why; nothing is left behind, and a file
 * of before is kept).
 */
static inline int tracesnap_take_snapshot(const char *path)
{
    return TRACESNAP_CALL(tracesnap_preloaded_take_snapshot, (path), -1);
}

#ifdef __cplusplus
}
#endif

#endif

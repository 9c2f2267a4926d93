/*
 * Symbols: module + offset -> the functions, files and lines there, inlined ones included. By
 * elfutils' libdw; lazy (a module is opened at its first look-up), cached for the life of the
 * symbolizer, and bounded in memory. It never fails: what cannot be found has no name, and why is
 * told once through `problem`.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_SYMBOL_H
#define TRACESNAP_TOOLS_SYMBOL_SYMBOL_H

#include "tools/base/capture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One source-level frame. Strings are interned: equal strings are equal pointers, owned by the
 * symbolizer. */
struct symbol_frame {
    const char *function; /* demangled; NULL = unknown */
    const char *file;     /* NULL = unknown */
    uint32_t line;        /* 0 = unknown */
    bool inlined;         /* inlined into the next frame of the same look-up */
};

struct symbol_result {
    size_t count; /* at least 1: the last frame is the function that is really in the code */
    const struct symbol_frame *frames; /* innermost first */
};

struct symbolizer;

struct symbol_options {
    const char *sysroot; /* NULL = "/" */
    bool debuginfo;      /* false: symbol tables only */
    /* Called once per module and cause, a message without newline; NULL = nobody listens. */
    void (*problem)(void *context, const char *text);
    void *problem_context;
    /* Root to look in before sysroot for a live process in another mount namespace
     * ("/proc/PID/root"), or NULL. */
    const char *process_root;
};

struct symbolizer *symbolizer_new(const struct symbol_options *options);
void symbolizer_free(struct symbolizer *symbolizer);

/*
 * Looks up `offset`, an ELF virtual address of the module (no load bias). `module` must stay valid
 * until the symbolizer is freed. The result is valid until then, too.
 */
const struct symbol_result *symbolizer_lookup(struct symbolizer *symbolizer,
                                              const struct capture_module *module, uint64_t offset);

#endif

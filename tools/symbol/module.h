/*
 * A module of the traced process and the files that explain it: found, proven by their build-id to
 * be the traced ones, opened at the first look-up, and closed when too many others are open.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_MODULE_H
#define TRACESNAP_TOOLS_SYMBOL_MODULE_H

#include "tools/base/hash_map.h"
#include "tools/symbol/debugfile.h"
#include "tools/symbol/dwarf_info.h"
#include "tools/symbol/names.h"
#include "tools/symbol/symbol.h"
#include "tools/symbol/symtab.h"

#include <stdbool.h>

/* What all modules of a symbolizer share. */
struct module_shared {
    struct debug_search search;
    bool debuginfo;
    struct names names;
    struct unit_cache cache;
    void (*problem)(void *context, const char *text);
    void *problem_context;
};

struct module {
    const struct capture_module *traced; /* the first of those that are equal */
    struct module *same_hash;            /* the next one in the symbolizer's map */
    struct module *newer, *older;        /* among the open ones */
    bool is_open, has_warned;
    struct elf_file *file;  /* NULL = none that is the traced one */
    struct elf_file *debug; /* separate debug file; NULL = none, or not needed */
    bool has_dwarf;
    struct dwarf_info *dwarf; /* NULL until it is needed */
    struct symtab *symtab;    /* NULL until it is needed */
    struct hash_map results;  /* offset -> struct symbol_result */
};

/* The same path and build-id: of two captures of one process, for instance. */
bool module_is(const struct module *module, const struct capture_module *traced);

/* Finds and opens the files, unless they are open. What is wrong with them is told once. */
void module_open(struct module *module, struct module_shared *shared);
void module_close(struct module *module);

/*
 * The frames at an offset of an open module, innermost first; returns how many, 0 = nothing is
 * known. `size` is at least 1.
 */
size_t module_lookup(struct module *module, struct module_shared *shared, uint64_t offset,
                     struct symbol_frame *frames, size_t size);

#endif

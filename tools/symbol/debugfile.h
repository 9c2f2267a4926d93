/*
 * Separate debug files: found by build-id, by .gnu_debuglink, and by asking the debuginfod servers
 * that the user named. A file is only ever returned when it is proven to belong to the module.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_DEBUGFILE_H
#define TRACESNAP_TOOLS_SYMBOL_DEBUGFILE_H

#include "tools/symbol/elf_file.h"

#include <elfutils/libdw.h>
#include <stdbool.h>

/* Where to look; strings and the struct are the caller's. */
struct debug_search {
    const char *process_root; /* tried first; NULL = none */
    const char *sysroot;      /* "" = this host */
    bool online;              /* debuginfod may be asked; cleared when its servers do not answer */
};

/* A file `root` + `path`, or NULL. */
struct elf_file *debugfile_open_at(const char *root, const char *path);

/*
 * {root}/usr/lib/debug/.build-id/xx/yyyy.debug, else from debuginfod; its own build-id is the
 * wanted one.
 */
struct elf_file *debugfile_by_id(struct debug_search *search, struct build_id id);

/*
 * The debug file of `file`, which stands at `path` (as the traced process names it) below `root`:
 * by build-id, else by the name and checksum in .gnu_debuglink. NULL = none.
 */
struct elf_file *debugfile_find(struct debug_search *search, const struct elf_file *file,
                                const char *root, const char *path);

/*
 * The file that .gnu_debugaltlink of `dwarf` names (dwz keeps there what files have in common), or
 * NULL.
 */
struct elf_file *debugfile_find_alternate(struct debug_search *search, Dwarf *dwarf,
                                          const struct elf_file *file);

#endif

/*
 * The DWARF of one file, within bounds of memory: an index of which unit has which addresses, units
 * that are loaded when they are needed and forgotten when others need the room, and a libdw handle
 * that is closed and opened anew when it has grown, since libdw frees nothing before.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_DWARF_INFO_H
#define TRACESNAP_TOOLS_SYMBOL_DWARF_INFO_H

#include "tools/symbol/debugfile.h"
#include "tools/symbol/elf_file.h"
#include "tools/symbol/names.h"
#include "tools/symbol/symbol.h"

/* All loaded units of all files, the least recently used one first to go. */
struct unit_cache {
    struct cached_unit *newest, *oldest;
    size_t memory;
};

struct dwarf_info;

/*
 * `file` has DWARF for the code in `code`; it must outlive the result, like all other arguments.
 * Never NULL: what is unreadable has no units.
 */
struct dwarf_info *dwarf_info_open(const struct elf_file *file, struct code_bounds code,
                                   struct debug_search *search, struct names *names,
                                   struct unit_cache *cache);
void dwarf_info_close(struct dwarf_info *info);

/*
 * The frames at an ELF virtual address, innermost first, at most `size`; returns how many, 0 = no
 * DWARF for it. The last frame is the function itself. *incomplete: DWARF does not know that one's
 * parameters.
 */
size_t dwarf_info_lookup(struct dwarf_info *info, uint64_t address, struct symbol_frame *frames,
                         size_t size, bool *incomplete);

#endif

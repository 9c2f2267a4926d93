/*
 * Function names from ELF symbol tables: what is left when there is no DWARF.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_SYMTAB_H
#define TRACESNAP_TOOLS_SYMBOL_SYMTAB_H

#include "tools/symbol/elf_file.h"

#include <stddef.h>
#include <stdint.h>

struct symtab;

/*
 * The symbols of a module: .symtab of its file, else of its debug file, else .dynsym and the small
 * table of .gnu_debugdata together. Either file may be NULL; both must outlive the table.
 */
struct symtab *symtab_load(const struct elf_file *file, const struct elf_file *debug);
void symtab_free(struct symtab *symtab);

/*
 * The symbol of the code at an ELF virtual address, as it stands in the file but without a version
 * ("@@V"); NULL = none covers it. *length is the name's length.
 */
const char *symtab_find(const struct symtab *symtab, uint64_t address, size_t *length);

#endif

/*
 * .gnu_debugdata: a small ELF file with the symbols that .dynsym lacks, xz-compressed inside a
 * stripped one.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_MINIDEBUG_H
#define TRACESNAP_TOOLS_SYMBOL_MINIDEBUG_H

#include "tools/symbol/elf_file.h"

/* NULL: the file has none, or libdw cannot inflate it. */
struct elf_file *minidebug_open(const struct elf_file *file);

#endif

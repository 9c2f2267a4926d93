/*
 * Lines of Python: instruction of a code object -> line, by the line tables of CPython 3.9 and
 * later, as the interpreter itself answers (co_lines(), from which its tracebacks and tracemalloc
 * have their lines). A table may be any bytes.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_PYTHON_LINES_H
#define TRACESNAP_TOOLS_SYMBOL_PYTHON_LINES_H

#include "region/python.h"

#include <stdint.h>

struct python_lines;

/* Reads a table of `size` bytes. A kind that is not known has no lines. */
struct python_lines *python_lines_new(uint32_t kind, const uint8_t *table, uint32_t size,
                                      uint32_t first_line);
void python_lines_free(struct python_lines *lines);

/*
 * The line of the instruction at this offset, in bytes; 0 = it has none. A frame that has not run an
 * instruction yet stands before the first, at an offset below zero: at the first line.
 */
uint32_t python_lines_find(const struct python_lines *lines, uint32_t instruction);

#endif

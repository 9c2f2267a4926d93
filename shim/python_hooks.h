/*
 * Hooks of CPython's allocator domains (PyMem_SetAllocator). What lies beneath, pymalloc or
 * another, stays in place; a call of one domain that goes on to another or to malloc is one block.
 */
#ifndef TRACESNAP_SHIM_PYTHON_HOOKS_H
#define TRACESNAP_SHIM_PYTHON_HOOKS_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether pc lies in an object whose allocator our hooks call. */
bool python_hooks_call(uintptr_t pc);

/* Finds the interpreter's functions and sets the hooks, if that may be done now. False: they are
 * not there. */
bool python_hooks_start(const struct link_map *map);

#endif

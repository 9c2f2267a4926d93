/*
 * python=exact: objects that are born from the interpreter's free lists.
 *
 * A free list gives the block of an object that died to the next object of its kind; no allocator
 * is asked. CPython 3.13 and later tell of each birth by a public hook (PyRefTracer_SetTracer).
 * Then the block counts as freed by its old stack and allocated by the present one, as in
 * tracemalloc. Older versions tell tracemalloc alone, by a call that nobody else can get between.
 */
#ifndef TRACESNAP_SHIM_PYTHON_BIRTHS_H
#define TRACESNAP_SHIM_PYTHON_BIRTHS_H

#include <link.h>

/* Finds the interpreter's functions, if births are asked for. */
void python_births_start(const struct link_map *map);

/* Sets our hook on top of what is there, unless it is. By a thread that holds the interpreter's
 * lock, which lets nobody else set it: tracemalloc's start() and stop() put theirs, or none, in
 * place of any. */
void python_births_look_after(void);

#endif

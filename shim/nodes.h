/*
 * The nodes of the calling-context tree by (parent, key): lock-free, insert-only, grows by doubling.
 *
 * A slot holds a node's number, 0 = empty; what it is filed under stands in the node itself, which
 * is written before its number is published by compare-and-swap. So equal means equal, and a table
 * takes four bytes a slot. Growing copies all numbers to a table of twice the size; the old one is
 * emptied, and who still uses it finds nothing there: its path gets a second number, as it does
 * where an insert goes to the old table meanwhile. Readers of the region merge equal paths.
 */
#ifndef TRACESNAP_SHIM_NODES_H
#define TRACESNAP_SHIM_NODES_H

#include <stdbool.h>
#include <stdint.h>

bool nodes_start(void);
void nodes_forked(void);

/* Whether there is room for more, growing where needed. False when memory is refused. */
bool nodes_have_room(void);

/* The node of a key below a parent (0 = the root); 0 when there is none. */
uint32_t nodes_find(uint32_t parent, uint64_t key);

/* Makes it; returns the number that is filed in the end, which may be another thread's; 0 when
 * there is no room in the region. */
uint32_t nodes_add(uint32_t parent, uint64_t key);

#endif

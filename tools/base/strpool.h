/*
 * Memory of the tool: arrays that grow, and pools of strings and records that live until the pool
 * is freed. Nothing here returns NULL: a report without its memory is no report, so that running
 * out ends the tool with a message and status 2.
 */
#ifndef TRACESNAP_TOOLS_BASE_STRPOOL_H
#define TRACESNAP_TOOLS_BASE_STRPOOL_H

#include <stddef.h>

/*
 * `count` elements of `size` bytes, moved from `memory` (or new: NULL); what is added is not
 * cleared.
 */
void *memory_resize(void *memory, size_t count, size_t size);

/* Makes room for one element more than `count` in an array of *capacity elements. */
void *memory_grow(void *memory, size_t count, size_t *capacity, size_t size);

struct strpool;

struct strpool *strpool_new(void);
void strpool_free(struct strpool *pool);

/* A zeroed record of `size` bytes, aligned for any integer or pointer. */
void *strpool_alloc(struct strpool *pool, size_t size);

/* The pool's own copy of a text: equal texts give equal pointers. */
const char *strpool_intern(struct strpool *pool, const char *text);
const char *strpool_intern_part(struct strpool *pool, const char *text, size_t length);

#endif

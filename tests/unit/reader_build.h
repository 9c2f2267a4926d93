/*
 * Regions built by hand, record by record, for the tests of the readers; and the little that those
 * tests need to report themselves as TAP.
 */
#ifndef TRACESNAP_TESTS_UNIT_READER_BUILD_H
#define TRACESNAP_TESTS_UNIT_READER_BUILD_H

#include "region/layout.h"
#include "tools/base/capture.h"
#include "tools/source/source.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scratch directory below ${TMPDIR:-/tmp}, removed with all that is in it by scratch_remove. */
extern char scratch[PATH_MAX];
void scratch_make(void);
void scratch_remove(void);

/* A path in the scratch directory; valid until the eighth call from now. */
const char *scratch_path(const char *name);

struct built {
    char path[PATH_MAX];
    unsigned char *map;
    size_t size;
    uint32_t slabs; /* handed out */
    uint32_t chunks;
    uint32_t string_offset;
    uint32_t table_offset;
};

/*
 * A new region of a process that never was, ready, with root and catch-all; `name` in the scratch
 * directory.
 */
void built_begin(struct built *built, const char *name);
void built_end(struct built *built);

struct ts_header *built_header(struct built *built);

/* Record `ordinal` slab of a kind, added where it is missing. */
void *built_slab(struct built *built, enum ts_slab_kind kind, uint32_t ordinal);
struct ts_node *built_node(struct built *built, uint32_t number);
struct ts_context *built_context(struct built *built, uint32_t number);
struct ts_module *built_module(struct built *built, uint32_t number);
struct ts_code *built_code(struct built *built, uint32_t number);

/* Publishes a node, a context, a module or a code object of Python with a table of CPython 3.11. */
void built_add_node(struct built *built, uint32_t number, uint64_t key, uint32_t parent);
void built_add_context(struct built *built, uint32_t number, uint32_t node);
void built_add_module(struct built *built, uint32_t number, const char *path);
void built_add_code(struct built *built, uint32_t number, const char *file, const char *name,
                    uint32_t first_line, const void *table, uint32_t table_size);

/* The cell of a context in a shard; its chunk is added where it is missing. */
struct ts_cell *built_cell(struct built *built, uint32_t shard, uint32_t context);

/* Fills a cell: counts and bytes; the stamp is that of the header's control word. */
void built_count(struct built *built, uint32_t shard, uint32_t context, struct ts_pair allocated,
                 struct ts_pair freed);

/* A region with modules, two threads, four contexts, one of them of Python, a timeline and drops. */
void built_sample(struct built *built, const char *name);

/* The live bytes of a capture, and of its contexts whose innermost frame has the key. */
uint64_t live_size(const struct capture_values *values);
const struct capture_context *context_of_key(const struct capture *capture, uint64_t key);

/* TAP: counts, prints "ok" or "not ok", and after a failure what was found. */
extern int tap_count, tap_failed;
void tap(bool passed, const char *name);
void tap_number(uint64_t found, uint64_t expected, const char *name);
void tap_text(const char *found, const char *expected, const char *name);
int tap_end(void);

#endif

/*
 * One compilation unit in a compact form of our own: which function, and what is inlined into it,
 * each address belongs to, and its line table. libdw would take several times the memory, keep it
 * until the whole file is closed, and walk the unit for every look-up.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_UNIT_H
#define TRACESNAP_TOOLS_SYMBOL_UNIT_H

#include "tools/symbol/elf_file.h"
#include "tools/symbol/names.h"
#include "tools/symbol/ranges.h"
#include "tools/symbol/scopes.h"

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODE_NONE UINT32_MAX
#define LINE_END UINT32_MAX /* the line of a row that ends a sequence: no code from here on */

/* What a look-up tells of a node; read at the first one that needs it. */
struct unit_call {
    const char *name;
    bool incomplete;       /* the name has no parameters: a symbol table may know better */
    const char *call_file; /* where it is inlined; NULL and 0 for a function of its own */
    uint32_t call_line;
};

/* A function, or an inlined call of one. Units have ten thousands of them: kept small. */
struct unit_node {
    uint32_t die;    /* its offset within the unit */
    uint32_t parent; /* what it is inlined into; NODE_NONE for a function of its own */
    struct unit_call *call; /* NULL until then */
};

struct unit_row {
    uint32_t address; /* from the start of the module's code */
    uint32_t line;
    uint32_t file;
};

/* Names by the numbers that DWARF uses for files; NULL = unknown. */
struct unit_files {
    const char **names;
    size_t count;
};

struct unit {
    Dwarf_Off offset; /* of the unit's DIE */
    bool split;       /* its functions are in a .dwo file */
    Dwarf_Off start;  /* of the unit that has the functions, in its file */
    uint64_t base;    /* of the rows' addresses */
    struct segments code; /* address -> node */
    struct unit_node *nodes;
    size_t node_count;
    bool has_scopes;       /* it is C++, where functions are known by more than their name */
    struct scopes scopes;
    struct unit_row *rows; /* by address */
    size_t row_count;
    struct unit_files files;      /* of the rows */
    struct unit_files call_files; /* of the call sites; empty = the same as `files` */
    size_t memory;                /* bytes that the unit takes here */
    size_t library_memory;        /* bytes that loading it has cost within libdw, an estimate */
};

/*
 * Reads the unit whose DIE is at `offset`. What cannot be read is left out: the result may be
 * empty.
 */
struct unit *unit_load(Dwarf *dwarf, Dwarf_Off offset, struct code_bounds code,
                       struct names *names);
void unit_free(struct unit *unit);

/*
 * A node's name and call site. `dwarf` may be another handle than the one the unit was loaded from.
 */
const struct unit_call *unit_call(struct unit *unit, uint32_t node, Dwarf *dwarf,
                                  struct names *names);

/*
 * The row for an address, or NULL. `start` is where the innermost function at the address begins
 * (see the rule about line 0).
 */
const struct unit_row *unit_find_row(const struct unit *unit, uint64_t address, uint64_t start);

#endif

/*
 * Loading a unit: one walk over its DIEs and one over its line table.
 */
#include "tools/symbol/unit.h"

#include "tools/base/strpool.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#define TREE_DEPTH_MAX 256u
/* Only damaged files have more address ranges in a unit; many DIEs may name the same long list. */
#define RANGES_MAX ((size_t)1 << 22)

struct walk {
    struct unit *unit;
    struct code_bounds code;
    size_t node_capacity;
    struct range *ranges;
    size_t range_count, range_capacity;
    uint32_t scope;       /* where the walk is */
    uint32_t last_offset; /* of the DIE that was seen last */
    uint64_t steps_left;  /* DIEs: links that form a maze must not be followed for ever */
};

static bool add_ranges(struct walk *walk, Dwarf_Die *die, uint32_t value)
{
    Dwarf_Addr base, low, high;
    bool found = false;
    for (ptrdiff_t next = 0; (next = dwarf_ranges(die, next, &base, &low, &high)) > 0;) {
        /* What the linker threw away still has DWARF, at address 0 or so. */
        if (low < walk->code.low || low >= walk->code.high || high <= low) {
            continue;
        }
        if (walk->range_count >= RANGES_MAX) {
            break;
        }
        walk->ranges = memory_grow(walk->ranges, walk->range_count, &walk->range_capacity,
                                   sizeof *walk->ranges);
        walk->ranges[walk->range_count++] =
            (struct range){.low = low, .high = high, .value = value};
        found = true;
    }
    return found;
}

static void walk_children(struct walk *walk, Dwarf_Die *parent, uint32_t node, unsigned depth);

static void visit_function(struct walk *walk, Dwarf_Die *die, uint32_t parent, unsigned depth)
{
    struct unit *unit = walk->unit;
    uint32_t number = (uint32_t)unit->node_count;
    Dwarf_Off offset = dwarf_cuoffset(die);
    if (dwarf_tag(die) != DW_TAG_inlined_subroutine) {
        parent = NODE_NONE;
    }
    /*
     * Also below an abstract function there is code: the methods of classes that are local to it.
     */
    if (number == NODE_NONE || offset > UINT32_MAX || !add_ranges(walk, die, number)) {
        walk_children(walk, die, parent, depth);
        return;
    }
    unit->nodes = memory_grow(unit->nodes, unit->node_count, &walk->node_capacity,
                              sizeof *unit->nodes);
    unit->nodes[unit->node_count++] =
        (struct unit_node){.die = (uint32_t)offset, .parent = parent};
    walk_children(walk, die, number, depth);
}

static void visit_scope(struct walk *walk, Dwarf_Die *die, uint32_t node, unsigned depth)
{
    struct unit *unit = walk->unit;
    if (!unit->has_scopes || dwarf_haschildren(die) != 1) {
        walk_children(walk, die, node, depth);
        return;
    }
    uint32_t outer = walk->scope;
    uint32_t number = scopes_begin(&unit->scopes, (uint32_t)dwarf_cuoffset(die), outer);
    walk->scope = number;
    walk_children(walk, die, node, depth);
    walk->scope = outer;
    scopes_end(&unit->scopes, number, walk->last_offset + 1);
}

static void visit(struct walk *walk, Dwarf_Die *die, uint32_t node, unsigned depth)
{
    walk->last_offset = (uint32_t)dwarf_cuoffset(die);
    switch (dwarf_tag(die)) {
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_entry_point:
        visit_function(walk, die, node, depth);
        break;
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
        walk_children(walk, die, node, depth);
        break;
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_interface_type:
        visit_scope(walk, die, node, depth);
        break;
    default:
        break;
    }
}

static void walk_children(struct walk *walk, Dwarf_Die *parent, uint32_t node, unsigned depth)
{
    Dwarf_Die die, next;
    if (depth >= TREE_DEPTH_MAX || dwarf_haschildren(parent) != 1 ||
        dwarf_child(parent, &die) != 0) {
        return;
    }
    while (walk->steps_left > 0) {
        walk->steps_left--;
        visit(walk, &die, node, depth + 1);
        if (dwarf_siblingof(&die, &next) != 0 || (char *)next.addr <= (char *)die.addr) {
            return;
        }
        die = next;
    }
}

static bool is_cplusplus(int language)
{
    return language == DW_LANG_C_plus_plus || language == DW_LANG_C_plus_plus_03 ||
           language == DW_LANG_C_plus_plus_11 || language == DW_LANG_C_plus_plus_14;
}

/* No unit has more DIEs than bytes. */
static uint64_t unit_size(Dwarf *dwarf, Dwarf_Off start)
{
    Dwarf_Off next;
    size_t header;
    if (dwarf_next_unit(dwarf, start, &next, &header, NULL, NULL, NULL, NULL, NULL, NULL) != 0 ||
        next <= start) {
        return 0;
    }
    return next - start;
}

static void load_functions(struct unit *unit, Dwarf_Die *die, struct code_bounds code)
{
    struct walk walk = {.unit = unit, .code = code, .scope = SCOPE_NONE};
    unit->start = dwarf_dieoffset(die) - dwarf_cuoffset(die);
    walk.steps_left = unit_size(dwarf_cu_getdwarf(die->cu), unit->start);
    unit->has_scopes = is_cplusplus(dwarf_srclang(die));
    walk_children(&walk, die, NODE_NONE, 0);
    unit->code = ranges_flatten(walk.ranges, walk.range_count);
    free(walk.ranges);
    if (unit->node_count != 0) {
        unit->nodes = memory_resize(unit->nodes, unit->node_count, sizeof *unit->nodes);
    }
}

static struct unit_files load_files(Dwarf_Die *die, const char *directory, struct names *names)
{
    struct unit_files result = {0};
    Dwarf_Files *files;
    if (dwarf_getsrcfiles(die, &files, &result.count) != 0) {
        return (struct unit_files){0};
    }
    result.names = memory_resize(NULL, result.count, sizeof *result.names);
    for (size_t i = 0; i < result.count; i++) {
        const char *name = dwarf_filesrc(files, i, NULL, NULL);
        /* libdw's own word for the file number 0 of older DWARF, which means none. */
        bool unknown = name == NULL || strcmp(name, "???") == 0;
        result.names[i] = unknown ? NULL : names_file(names, directory, name);
    }
    return result;
}

/*
 * Rows that tell nothing new are left out: compilers write one for each statement, view and column.
 */
static void add_row(struct unit *unit, size_t *capacity, struct unit_row row)
{
    struct unit_row *last = unit->row_count != 0 ? &unit->rows[unit->row_count - 1] : NULL;
    if (last != NULL && last->address == row.address) {
        *last = row;
    } else if (last == NULL || last->line != row.line || last->file != row.file) {
        unit->rows = memory_grow(unit->rows, unit->row_count, capacity, sizeof row);
        unit->rows[unit->row_count++] = row;
    }
}

static void load_rows(struct unit *unit, Dwarf_Die *die, struct code_bounds code)
{
    Dwarf_Lines *lines;
    size_t count, capacity = 0;
    if (dwarf_getsrclines(die, &lines, &count) != 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        Dwarf_Line *line = dwarf_onesrcline(lines, i);
        struct unit_row row = {0};
        Dwarf_Addr address;
        Dwarf_Files *files;
        size_t file = 0;
        int number = 0;
        bool end = false;
        if (dwarf_lineaddr(line, &address) != 0 || address < code.low || address > code.high ||
            address - code.low > UINT32_MAX) {
            continue;
        }
        dwarf_lineendsequence(line, &end);
        dwarf_lineno(line, &number);
        dwarf_line_file(line, &files, &file);
        row.address = (uint32_t)(address - code.low);
        row.line = end ? LINE_END : number > 0 ? (uint32_t)number : 0;
        row.file = end ? 0 : (uint32_t)file;
        add_row(unit, &capacity, row);
    }
    unit->library_memory += count * 64;
    if (unit->row_count != 0) {
        unit->rows = memory_resize(unit->rows, unit->row_count, sizeof *unit->rows);
    }
}

struct unit *unit_load(Dwarf *dwarf, Dwarf_Off offset, struct code_bounds code, struct names *names)
{
    struct unit *unit = memory_resize(NULL, 1, sizeof *unit);
    *unit = (struct unit){.offset = offset, .base = code.low, .library_memory = 64u << 10};
    Dwarf_Die die, split;
    if (dwarf_offdie(dwarf, offset, &die) != NULL) {
        memset(&split, 0, sizeof split);
        unit->split = dwarf_cu_info(die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 &&
                      split.addr != NULL && dwarf_tag(&split) == DW_TAG_compile_unit;
        Dwarf_Attribute attribute;
        const char *directory = dwarf_formstring(dwarf_attr(&die, DW_AT_comp_dir, &attribute));
        load_rows(unit, &die, code);
        unit->files = load_files(&die, directory, names);
        load_functions(unit, unit->split ? &split : &die, code);
        if (unit->split) {
            unit->call_files = load_files(&split, directory, names);
        }
    }
    size_t files = unit->files.count + unit->call_files.count;
    unit->library_memory += files * 64;
    unit->memory = sizeof *unit + unit->node_count * sizeof *unit->nodes +
                   unit->row_count * sizeof *unit->rows + files * sizeof(char *) +
                   unit->code.count * sizeof *unit->code.items +
                   unit->scopes.capacity * sizeof *unit->scopes.items;
    return unit;
}

void unit_free(struct unit *unit)
{
    for (size_t i = 0; i < unit->node_count; i++) {
        free(unit->nodes[i].call);
    }
    free(unit->code.items);
    free(unit->scopes.items);
    free(unit->nodes);
    free(unit->rows);
    free(unit->files.names);
    free(unit->call_files.names);
    free(unit);
}

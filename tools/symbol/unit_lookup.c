/*
 * Asking a loaded unit: names and call sites of its functions, and rows of its line table.
 */
#include "tools/symbol/unit.h"

#include "tools/base/strpool.h"

#include <dwarf.h>

static Dwarf_Die *find_die(const struct unit *unit, uint32_t offset, Dwarf *dwarf, Dwarf_Die *die)
{
    Dwarf_Die split;
    if (!unit->split) {
        return dwarf_offdie(dwarf, unit->start + offset, die);
    }
    if (dwarf_offdie(dwarf, unit->offset, die) == NULL ||
        dwarf_cu_info(die->cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) != 0 ||
        split.addr == NULL) {
        return NULL;
    }
    return dwarf_offdie(dwarf_cu_getdwarf(split.cu), unit->start + offset, die);
}

/* The DIE that has a function's own name: what it is an instance of, and that one's declaration. */
static const char *plain_name(const struct unit *unit, Dwarf_Die *die, struct names *names)
{
    Dwarf_Die named = *die;
    for (unsigned hops = 0; hops < 16 && !dwarf_hasattr(&named, DW_AT_name); hops++) {
        Dwarf_Attribute link;
        if ((dwarf_attr(&named, DW_AT_abstract_origin, &link) == NULL &&
             dwarf_attr(&named, DW_AT_specification, &link) == NULL) ||
            dwarf_formref_die(&link, &named) == NULL) {
            return NULL;
        }
    }
    const char *name = dwarf_diename(&named);
    if (name == NULL || name[0] == '\0') {
        return NULL;
    }
    /* With link-time optimisation it may be in another unit, whose scopes are not loaded. */
    if (!unit->has_scopes || named.cu != die->cu) {
        return strpool_intern(names->pool, name);
    }
    return scopes_qualify(&unit->scopes, dwarf_cu_getdwarf(named.cu), unit->start,
                          (uint32_t)dwarf_cuoffset(&named), name, names->pool);
}

/*
 * The linkage name has everything (scopes, parameters) once it is demangled; C has plain names
 * only.
 */
static void find_name(const struct unit *unit, Dwarf_Die *die, struct unit_call *call,
                      struct names *names)
{
    static const unsigned kinds[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        Dwarf_Attribute attribute;
        const char *name = dwarf_formstring(dwarf_attr_integrate(die, kinds[i], &attribute));
        if (name != NULL && name[0] != '\0') {
            call->name = names_function(names, name);
            return;
        }
    }
    call->name = plain_name(unit, die, names);
    call->incomplete = unit->has_scopes;
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned kind)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    return dwarf_formudata(dwarf_attr(die, kind, &attribute), &value) == 0 ? value : 0;
}

const struct unit_call *unit_call(struct unit *unit, uint32_t node, Dwarf *dwarf,
                                  struct names *names)
{
    struct unit_call *call = unit->nodes[node].call;
    Dwarf_Die die;
    if (call != NULL) {
        return call;
    }
    call = unit->nodes[node].call = memory_resize(NULL, 1, sizeof *call);
    *call = (struct unit_call){0};
    if (find_die(unit, unit->nodes[node].die, dwarf, &die) == NULL) {
        return call;
    }
    find_name(unit, &die, call, names);
    if (unit->nodes[node].parent != NODE_NONE) {
        const struct unit_files *files = unit->split ? &unit->call_files : &unit->files;
        Dwarf_Word file = number_of(&die, DW_AT_call_file);
        Dwarf_Word line = number_of(&die, DW_AT_call_line);
        call->call_file = file < files->count ? files->names[file] : NULL;
        call->call_line = line < LINE_END ? (uint32_t)line : 0;
    }
    return call;
}

/*
 * Line 0 marks code that the compiler assigns to no line (merged branches, hoisted loads).
 * addr2line and perf print it as it is, "file:0", which no one can open in an editor and which
 * would split a function's sum over a line that does not exist. So the nearest earlier row with a
 * line is taken, as llvm-symbolizer does with --skip-line-zero, but never from outside the sequence
 * or from before the innermost function's code here: that row would name another function's line.
 * If there is none, the line stays 0: unknown.
 */
const struct unit_row *unit_find_row(const struct unit *unit, uint64_t address, uint64_t start)
{
    size_t low = 0, high = unit->row_count;
    if (address < unit->base) {
        return NULL;
    }
    address -= unit->base;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (unit->rows[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || unit->rows[low - 1].line == LINE_END) {
        return NULL;
    }
    const struct unit_row *row = &unit->rows[low - 1];
    for (const struct unit_row *earlier = row;
         earlier->line == 0 && earlier > unit->rows && earlier->address + unit->base > start;) {
        earlier--;
        if (earlier->line == LINE_END) {
            break;
        }
        if (earlier->line != 0) {
            return earlier;
        }
    }
    return row;
}

/*
 * From an address to its unit to its frames.
 */
#include "tools/symbol/dwarf_info.h"

#include "tools/base/strpool.h"
#include "tools/symbol/unit.h"

#include <dwarf.h>
#include <stdlib.h>

/*
 * Loaded units, in our compact form: enough for some thousand of C++, which a snapshot may well
 * touch.
 */
#define UNIT_MEMORY_MAX ((size_t)192 << 20)
/* What libdw may hold of one file beyond what opening it costs. */
#define LIBRARY_MEMORY_MAX ((size_t)64 << 20)
/*
 * More than any real program has: each costs libdw a kilobyte, so that a damaged file must not have
 * them.
 */
#define UNITS_MAX ((size_t)1 << 20)
/* Gaps between functions, filled with padding: a unit's ranges that are this close are one. */
#define PADDING_MAX 64u

struct cached_unit {
    struct cached_unit *newer, *older;
    struct dwarf_info *owner;
    uint32_t number; /* in the owner */
    struct unit *unit;
};

struct indexed_unit {
    Dwarf_Off offset;
    struct cached_unit *loaded; /* NULL = not now */
};

struct dwarf_info {
    const struct elf_file *file;
    struct code_bounds code;
    struct debug_search *search;
    struct names *names;
    struct unit_cache *cache;
    Dwarf *dwarf; /* NULL = closed for now */
    Dwarf *alternate;
    struct elf_file *alternate_file; /* stays open for the next handle */
    bool searched_alternate;
    size_t library_memory; /* what loading units has cost since it was opened */
    struct indexed_unit *units; /* by offset */
    size_t unit_count;
    struct segments index; /* address -> unit */
};

struct index_builder {
    struct range *ranges;
    size_t count, capacity;
    size_t unit_capacity;
    bool incomplete; /* some unit does not say where its code is */
};

/* ---- the libdw handle ---- */

static void open_alternate(struct dwarf_info *info)
{
    if (!info->searched_alternate) {
        info->searched_alternate = true;
        info->alternate_file =
            debugfile_find_alternate(info->search, info->dwarf, info->file);
    }
    if (info->alternate_file != NULL) {
        info->alternate = dwarf_begin_elf(info->alternate_file->elf, DWARF_C_READ, NULL);
        dwarf_setalt(info->dwarf, info->alternate);
    }
}

static Dwarf *open_handle(struct dwarf_info *info)
{
    if (info->dwarf == NULL) {
        info->dwarf = dwarf_begin_elf(info->file->elf, DWARF_C_READ, NULL);
        info->library_memory = 0;
        if (info->dwarf != NULL) {
            open_alternate(info);
        }
    }
    return info->dwarf;
}

static void close_handle(struct dwarf_info *info)
{
    dwarf_end(info->dwarf);
    dwarf_end(info->alternate);
    info->dwarf = info->alternate = NULL;
}

/* ---- the index of units ---- */

static void add_range(const struct dwarf_info *info, struct index_builder *builder, uint64_t low,
                      uint64_t high, uint32_t unit)
{
    if (low < info->code.low || low >= info->code.high || high <= low) {
        return;
    }
    struct range *last = builder->count != 0 ? &builder->ranges[builder->count - 1] : NULL;
    if (last != NULL && last->value == unit && low >= last->high &&
        low - last->high < PADDING_MAX) {
        last->high = high;
        return;
    }
    builder->ranges =
        memory_grow(builder->ranges, builder->count, &builder->capacity, sizeof *builder->ranges);
    builder->ranges[builder->count++] = (struct range){.low = low, .high = high, .value = unit};
}

/*
 * The units' own ranges, not .debug_aranges: clang and rustc do not write that section, and in a
 * program of objects from several compilers it is there but incomplete. Only the first DIE of each
 * unit is read.
 */
static void index_units(struct dwarf_info *info, struct index_builder *builder)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    uint8_t kind;
    while (info->unit_count < UNITS_MAX &&
           dwarf_get_units(info->dwarf, cu, &cu, NULL, &kind, &die, NULL) == 0) {
        if (kind != DW_UT_compile && kind != DW_UT_skeleton) {
            continue;
        }
        uint32_t number = (uint32_t)info->unit_count;
        info->units = memory_grow(info->units, info->unit_count, &builder->unit_capacity,
                                  sizeof *info->units);
        info->units[info->unit_count++] = (struct indexed_unit){.offset = dwarf_dieoffset(&die)};
        Dwarf_Addr base, low, high;
        bool found = false;
        for (ptrdiff_t next = 0; (next = dwarf_ranges(&die, next, &base, &low, &high)) > 0;) {
            add_range(info, builder, low, high, number);
            found = true;
        }
        builder->incomplete |= !found && dwarf_hasattr(&die, DW_AT_stmt_list) != 0;
    }
}

static int compare_units(const void *a, const void *b)
{
    const struct indexed_unit *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* What .debug_aranges knows beyond the units: needed where a unit has no ranges of its own. */
static void index_aranges(struct dwarf_info *info, struct index_builder *builder)
{
    Dwarf_Aranges *aranges;
    size_t count;
    if (info->unit_count == 0 || dwarf_getaranges(info->dwarf, &aranges, &count) != 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        Dwarf_Addr low;
        Dwarf_Word length;
        struct indexed_unit wanted = {0}, *unit;
        if (dwarf_getarangeinfo(dwarf_onearange(aranges, i), &low, &length, &wanted.offset) == 0 &&
            length <= UINT64_MAX - low &&
            (unit = bsearch(&wanted, info->units, info->unit_count, sizeof *unit,
                            compare_units)) != NULL) {
            add_range(info, builder, low, low + length, (uint32_t)(unit - info->units));
        }
    }
}

struct dwarf_info *dwarf_info_open(const struct elf_file *file, struct code_bounds code,
                                   struct debug_search *search, struct names *names,
                                   struct unit_cache *cache)
{
    struct dwarf_info *info = memory_resize(NULL, 1, sizeof *info);
    *info = (struct dwarf_info){
        .file = file,
        .code = code,
        .search = search,
        .names = names,
        .cache = cache,
    };
    if (open_handle(info) == NULL) {
        return info;
    }
    struct index_builder builder = {0};
    index_units(info, &builder);
    if (builder.incomplete) {
        index_aranges(info, &builder);
    }
    info->index = ranges_flatten(builder.ranges, builder.count);
    free(builder.ranges);
    return info;
}

/* ---- loaded units ---- */

static void unlink_unit(struct unit_cache *cache, struct cached_unit *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct unit_cache *cache, struct cached_unit *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop_unit(struct unit_cache *cache, struct cached_unit *entry)
{
    unlink_unit(cache, entry);
    cache->memory -= entry->unit->memory;
    entry->owner->units[entry->number].loaded = NULL;
    unit_free(entry->unit);
    free(entry);
}

static struct unit *get_unit(struct dwarf_info *info, uint32_t number)
{
    struct cached_unit *entry = info->units[number].loaded;
    if (entry != NULL) {
        unlink_unit(info->cache, entry);
        link_newest(info->cache, entry);
        return entry->unit;
    }
    if (info->library_memory > LIBRARY_MEMORY_MAX) {
        close_handle(info);
    }
    if (open_handle(info) == NULL) {
        return NULL;
    }
    entry = memory_resize(NULL, 1, sizeof *entry);
    *entry = (struct cached_unit){.owner = info, .number = number};
    entry->unit = unit_load(info->dwarf, info->units[number].offset, info->code, info->names);
    info->units[number].loaded = entry;
    info->library_memory += entry->unit->library_memory;
    info->cache->memory += entry->unit->memory;
    link_newest(info->cache, entry);
    while (info->cache->memory > UNIT_MEMORY_MAX && info->cache->oldest != entry) {
        drop_unit(info->cache, info->cache->oldest);
    }
    return entry->unit;
}

void dwarf_info_close(struct dwarf_info *info)
{
    if (info == NULL) {
        return;
    }
    for (size_t i = 0; i < info->unit_count; i++) {
        if (info->units[i].loaded != NULL) {
            drop_unit(info->cache, info->units[i].loaded);
        }
    }
    close_handle(info);
    elf_file_close(info->alternate_file);
    free(info->units);
    free(info->index.items);
    free(info);
}

/* ---- look-up ---- */

size_t dwarf_info_lookup(struct dwarf_info *info, uint64_t address, struct symbol_frame *frames,
                         size_t size, bool *incomplete)
{
    const struct segment *where = segments_find(&info->index, address);
    struct unit *unit = where != NULL ? get_unit(info, where->value) : NULL;
    *incomplete = true;
    if (unit == NULL || size == 0) {
        return 0;
    }
    const struct segment *code = segments_find(&unit->code, address);
    const struct unit_row *row =
        unit_find_row(unit, address, code != NULL ? segment_start(&unit->code, code) : address);
    struct symbol_frame frame = {0};
    if (row != NULL) {
        frame.file = row->file < unit->files.count ? unit->files.names[row->file] : NULL;
        frame.line = row->line;
    }
    size_t count = 0;
    uint32_t number = code != NULL ? code->value : NODE_NONE;
    while (number != NODE_NONE && open_handle(info) != NULL) {
        const struct unit_call *call = unit_call(unit, number, info->dwarf, info->names);
        uint32_t parent = unit->nodes[number].parent;
        frame.function = call->name;
        frame.inlined = parent != NODE_NONE;
        *incomplete = call->name == NULL || call->incomplete;
        /*
         * A chain that is too long is cut outside the innermost frames, but ends in the function.
         */
        if (count < size - 1 || parent == NODE_NONE) {
            frames[count++] = frame;
        }
        frame = (struct symbol_frame){.file = call->call_file, .line = call->call_line};
        number = parent;
    }
    if (count == 0 && row != NULL) {
        frames[count++] = frame;
    }
    return count;
}

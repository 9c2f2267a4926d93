/*
 * Symbol tables as sorted arrays of (address, index): the symbols themselves stay in the mapped
 * file.
 */
#include "tools/symbol/symtab.h"

#include "tools/base/strpool.h"
#include "tools/symbol/minidebug.h"

#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 2
/* How far back to look for a larger symbol around the nearest one (a label inside a function). */
#define ENCLOSING_MAX 64u

struct table {
    Elf *elf;
    Elf_Data *data;
    size_t strings; /* index of the section that holds the names */
};

struct place {
    uint64_t address;
    uint32_t index;
    uint32_t table;
};

struct symtab {
    struct table tables[TABLES_MAX];
    uint32_t table_count;
    struct place *places; /* by address; the best of one address last */
    size_t count, capacity;
    struct elf_file *minidebug; /* NULL = none */
};

static const char *read_symbol(const struct symtab *symtab, const struct place *place,
                               GElf_Sym *sym)
{
    const struct table *table = &symtab->tables[place->table];
    if (gelf_getsym(table->data, (int)place->index, sym) == NULL) {
        return NULL;
    }
    return elf_strptr(table->elf, table->strings, sym->st_name);
}

/* Labels of assemblers and linkers that name no function ("$x", ".L12"). */
static bool is_function_name(const char *name)
{
    return name != NULL && name[0] != '\0' && name[0] != '$' && strncmp(name, ".L", 2) != 0;
}

static bool is_code(const GElf_Sym *sym)
{
    int type = GELF_ST_TYPE(sym->st_info);
    return sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS && sym->st_value != 0 &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static bool add_table(struct symtab *symtab, const struct elf_file *file, GElf_Word type,
                      struct code_bounds code)
{
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(file->elf, scn)) != NULL;) {
        GElf_Shdr header;
        Elf_Data *data;
        if (gelf_getshdr(scn, &header) == NULL || header.sh_type != type ||
            header.sh_entsize == 0 || (data = elf_getdata(scn, NULL)) == NULL) {
            continue;
        }
        uint32_t number = symtab->table_count++;
        symtab->tables[number] =
            (struct table){.elf = file->elf, .data = data, .strings = header.sh_link};
        size_t total = data->d_size / header.sh_entsize;
        for (uint32_t i = 1; i < total && i < INT32_MAX; i++) {
            GElf_Sym sym;
            if (gelf_getsym(data, (int)i, &sym) == NULL) {
                break;
            }
            if (!is_code(&sym) || sym.st_value < code.low || sym.st_value >= code.high) {
                continue;
            }
            symtab->places = memory_grow(symtab->places, symtab->count, &symtab->capacity,
                                         sizeof *symtab->places);
            symtab->places[symtab->count++] =
                (struct place){.address = sym.st_value, .index = i, .table = number};
        }
        return true;
    }
    return false;
}

/*
 * Which of several symbols at one address people know best: one with a size, a function, a global
 * one; then the one with fewer underscores in front ("malloc" rather than "__libc_malloc"), then
 * the shorter.
 */
static int rank(const GElf_Sym *sym)
{
    int type = GELF_ST_TYPE(sym->st_info), bind = GELF_ST_BIND(sym->st_info);
    int scope = bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0;
    return (sym->st_size != 0) * 8 + (type != STT_NOTYPE) * 4 + scope;
}

static int compare_places(const void *a, const void *b, void *context)
{
    const struct place *x = a, *y = b;
    if (x->address != y->address) {
        return x->address < y->address ? -1 : 1;
    }
    GElf_Sym x_sym, y_sym;
    const char *x_name = read_symbol(context, x, &x_sym), *y_name = read_symbol(context, y, &y_sym);
    if (!is_function_name(x_name) || !is_function_name(y_name)) {
        return is_function_name(x_name) - is_function_name(y_name);
    }
    if (rank(&x_sym) != rank(&y_sym)) {
        return rank(&x_sym) - rank(&y_sym);
    }
    size_t x_bars = strspn(x_name, "_"), y_bars = strspn(y_name, "_");
    if (x_bars != y_bars) {
        return x_bars > y_bars ? -1 : 1;
    }
    size_t x_length = strlen(x_name), y_length = strlen(y_name);
    if (x_length != y_length) {
        return x_length > y_length ? -1 : 1;
    }
    return -strcmp(x_name, y_name);
}

struct symtab *symtab_load(const struct elf_file *file, const struct elf_file *debug)
{
    struct symtab *symtab = memory_resize(NULL, 1, sizeof *symtab);
    *symtab = (struct symtab){0};
    struct code_bounds code = elf_file_code(file != NULL ? file : debug);
    bool complete = (file != NULL && add_table(symtab, file, SHT_SYMTAB, code)) ||
                    (debug != NULL && add_table(symtab, debug, SHT_SYMTAB, code));
    if (!complete && file != NULL) {
        add_table(symtab, file, SHT_DYNSYM, code);
        symtab->minidebug = minidebug_open(file);
        if (symtab->minidebug != NULL) {
            add_table(symtab, symtab->minidebug, SHT_SYMTAB, code);
        }
    }
    if (symtab->count != 0) {
        symtab->places = memory_resize(symtab->places, symtab->count, sizeof *symtab->places);
        qsort_r(symtab->places, symtab->count, sizeof *symtab->places, compare_places, symtab);
    }
    return symtab;
}

void symtab_free(struct symtab *symtab)
{
    if (symtab != NULL) {
        elf_file_close(symtab->minidebug);
        free(symtab->places);
        free(symtab);
    }
}

/*
 * A symbol without a size, as hand-written assembly has, reaches to the next one or its section's
 * end.
 */
static bool is_in_section(const struct symtab *symtab, const struct place *place,
                          const GElf_Sym *sym, uint64_t address)
{
    GElf_Shdr section;
    Elf_Scn *scn = elf_getscn(symtab->tables[place->table].elf, sym->st_shndx);
    return gelf_getshdr(scn, &section) != NULL && address - section.sh_addr < section.sh_size;
}

static const char *without_version(const char *name, size_t *length)
{
    const char *version = name != NULL ? strchr(name + 1, '@') : NULL;
    *length = version != NULL ? (size_t)(version - name) : name != NULL ? strlen(name) : 0;
    return name;
}

const char *symtab_find(const struct symtab *symtab, uint64_t address, size_t *length)
{
    size_t low = 0, high = symtab->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symtab->places[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    /* A label without a size may stand inside a function: the function is the better name. */
    const char *label = NULL;
    for (size_t i = low; i > 0 && low - i < ENCLOSING_MAX; i--) {
        const struct place *place = &symtab->places[i - 1];
        GElf_Sym sym;
        const char *name = read_symbol(symtab, place, &sym);
        if (!is_function_name(name)) {
            continue;
        }
        if (sym.st_size != 0 && address - sym.st_value < sym.st_size) {
            return without_version(name, length);
        }
        bool nearest = place->address == symtab->places[low - 1].address;
        if (label == NULL && nearest && sym.st_size == 0 &&
            is_in_section(symtab, place, &sym, address)) {
            label = name;
        }
    }
    return without_version(label, length);
}

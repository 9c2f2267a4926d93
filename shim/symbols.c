/*
 * Which object defines a function, asked without the loader: a dlsym
 * that fails allocates its message, and frees it at the next call of its kind. Both come to the
 * program's own malloc and free where it has some, and a free that looks for the real one by dlsym
 * would call itself for ever.
 */
#include "shim/symbols.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

#define FILTER_BITS (8 * sizeof(ElfW(Addr)))
#define VERSION_HIDDEN 0x8000 /* of a version that is no default: dlsym does not find it */

struct symbols {
    const ElfW(Sym) * table;
    const char *strings;
    const uint32_t *gnu_hash, *hash;
    const ElfW(Half) * versions;
};

/* glibc has relocated these addresses, but for the kernel's own object. */
static const void *pointer(const struct link_map *map, ElfW(Addr) address)
{
    return (const void *)(address < map->l_addr ? address + map->l_addr : address);
}

static struct symbols symbols_of(const struct link_map *map)
{
    struct symbols symbols = {0};
    for (const ElfW(Dyn) *entry = map->l_ld; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const void *at = pointer(map, entry->d_un.d_ptr);
        if (entry->d_tag == DT_SYMTAB)
            symbols.table = at;
        else if (entry->d_tag == DT_STRTAB)
            symbols.strings = at;
        else if (entry->d_tag == DT_GNU_HASH)
            symbols.gnu_hash = at;
        else if (entry->d_tag == DT_HASH)
            symbols.hash = at;
        else if (entry->d_tag == DT_VERSYM)
            symbols.versions = at;
    }
    return symbols;
}

static bool is_definition(const struct symbols *symbols, uint32_t index, const char *name)
{
    const ElfW(Sym) *symbol = &symbols->table[index];
    return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           (symbols->versions == NULL || !(symbols->versions[index] & VERSION_HIDDEN)) &&
           __builtin_strcmp(symbols->strings + symbol->st_name, name) == 0;
}

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (const char *c = name; *c != '\0'; c++)
        hash = hash * 33 + (uint8_t)*c;
    return hash;
}

/* DT_GNU_HASH: counts, a filter of two bits for each name, buckets, chains ended by an odd hash. */
static uint32_t find_by_gnu_hash(const struct symbols *symbols, const char *name, uint32_t hash)
{
    const uint32_t *table = symbols->gnu_hash;
    const uint32_t bucket_count = table[0], first = table[1], words = table[2], shift = table[3];
    const ElfW(Addr) *filter = (const void *)(table + 4);
    const uint32_t *buckets = (const void *)(filter + words), *chains = buckets + bucket_count;
    if (words != 0) {
        ElfW(Addr) word = filter[hash / FILTER_BITS % words];
        if (!(word >> hash % FILTER_BITS & word >> (hash >> shift) % FILTER_BITS & 1))
            return 0;
    }
    uint32_t index = bucket_count != 0 ? buckets[hash % bucket_count] : 0;
    for (; index >= first && index != 0; index++) {
        uint32_t found = chains[index - first];
        if ((found | 1) == (hash | 1) && is_definition(symbols, index, name))
            return index;
        if (found & 1)
            break;
    }
    return 0;
}

/* The index of the symbol; 0 when there is none. */
static uint32_t find(const struct symbols *symbols, const char *name, uint32_t hash)
{
    if (symbols->gnu_hash != NULL)
        return find_by_gnu_hash(symbols, name, hash);
    for (uint32_t i = 1; symbols->hash != NULL && i < symbols->hash[1]; i++)
        if (is_definition(symbols, i, name))
            return i;
    return 0;
}

bool symbols_of_object(const struct link_map *map, const char *name, uintptr_t *address,
                       size_t *size)
{
    struct symbols symbols = symbols_of(map);
    if (symbols.table == NULL || symbols.strings == NULL)
        return false;
    uint32_t index = find(&symbols, name, gnu_hash_of(name));
    if (index == 0)
        return false;
    *address = map->l_addr + symbols.table[index].st_value;
    *size = symbols.table[index].st_size;
    return true;
}

const struct link_map *symbols_object_with(const char *name)
{
    uintptr_t address;
    size_t size;
    const struct link_map *map = _r_debug.r_map;
    while (map != NULL && !symbols_of_object(map, name, &address, &size))
        map = map->l_next;
    return map;
}

void symbols_follow(const char *const *names, bool *follow, size_t count)
{
    uint32_t hashes[SYMBOLS_MAX];
    const struct link_map *map = _r_debug.r_map;
    while (map != NULL && map->l_ld != _DYNAMIC)
        map = map->l_next;
    for (size_t i = 0; i < count; i++) {
        hashes[i] = gnu_hash_of(names[i]);
        follow[i] = false;
    }
    for (map = map != NULL ? map->l_next : NULL; map != NULL; map = map->l_next) {
        struct symbols symbols = symbols_of(map);
        if (symbols.table == NULL || symbols.strings == NULL)
            continue;
        for (size_t i = 0; i < count; i++)
            follow[i] = follow[i] || find(&symbols, names[i], hashes[i]) != 0;
    }
}

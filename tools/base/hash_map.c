/*
 * A map from 64-bit keys to pointers, by linear probing in a table that is at most two thirds full.
 */
#include "tools/base/hash_map.h"

#include "region/hash.h"
#include "tools/base/strpool.h"

#include <stdlib.h>
#include <string.h>

/* The slot that holds the key, or the empty one where it belongs. */
static struct hash_map_entry *find_slot(struct hash_map_entry *entries, size_t capacity,
                                        uint64_t key)
{
    size_t slot = ts_hash_mix(key) & (capacity - 1);
    while (entries[slot].value != NULL && entries[slot].key != key) {
        slot = (slot + 1) & (capacity - 1);
    }
    return &entries[slot];
}

static void grow(struct hash_map *map)
{
    size_t capacity = map->capacity != 0 ? map->capacity * 2 : 64;
    struct hash_map_entry *entries = memory_resize(NULL, capacity, sizeof *entries);
    memset(entries, 0, capacity * sizeof *entries);
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].value != NULL) {
            *find_slot(entries, capacity, map->entries[i].key) = map->entries[i];
        }
    }
    free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
}

void *hash_map_get(const struct hash_map *map, uint64_t key)
{
    return map->count != 0 ? find_slot(map->entries, map->capacity, key)->value : NULL;
}

void hash_map_put(struct hash_map *map, uint64_t key, void *value)
{
    if ((map->count + 1) * 3 > map->capacity * 2) {
        grow(map);
    }
    struct hash_map_entry *entry = find_slot(map->entries, map->capacity, key);
    map->count += entry->value == NULL;
    *entry = (struct hash_map_entry){.key = key, .value = value};
}

void hash_map_clear(struct hash_map *map)
{
    free(map->entries);
    *map = (struct hash_map){0};
}

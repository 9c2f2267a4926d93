/*
 * A map from 64-bit keys to pointers: open addressing, no removal. A zeroed struct is an empty map.
 */
#ifndef TRACESNAP_TOOLS_BASE_HASH_MAP_H
#define TRACESNAP_TOOLS_BASE_HASH_MAP_H

#include <stddef.h>
#include <stdint.h>

struct hash_map_entry {
    uint64_t key;
    void *value; /* NULL = an empty slot */
};

struct hash_map {
    struct hash_map_entry *entries;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* The value of a key; NULL = none. */
void *hash_map_get(const struct hash_map *map, uint64_t key);

/* Sets a key's value, which must not be NULL. */
void hash_map_put(struct hash_map *map, uint64_t key, void *value);

/* Frees the map's own memory, not what the values point to; the map is empty afterwards. */
void hash_map_clear(struct hash_map *map);

#endif

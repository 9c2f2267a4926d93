/*
 * Pools of strings and records: blocks that are filled from the front and freed together, and a
 * hash table by which equal strings are kept once.
 */
#include "tools/base/strpool.h"

#include "region/hash.h"
#include "tools/base/message.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (64u << 10)

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

/* In front of the text, so that growing the table does not read all strings anew. */
struct entry {
    uint64_t hash;
    size_t length;
    char text[];
};

struct strpool {
    struct block *blocks;   /* the first one is being filled */
    struct entry **entries; /* open addressing, a power of two, at most half full */
    size_t capacity, count;
};

void *memory_resize(void *memory, size_t count, size_t size)
{
    void *moved = reallocarray(memory, count != 0 ? count : 1, size != 0 ? size : 1);
    if (moved == NULL) {
        exit(message_error("out of memory: %zu elements of %zu bytes were refused", count, size));
    }
    return moved;
}

void *memory_grow(void *memory, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return memory;
    }
    *capacity = count < 16 ? 16 : count + count / 2;
    return memory_resize(memory, *capacity, size);
}

struct strpool *strpool_new(void)
{
    struct strpool *pool = memory_resize(NULL, 1, sizeof *pool);
    *pool = (struct strpool){0};
    return pool;
}

void strpool_free(struct strpool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->blocks != NULL) {
        struct block *block = pool->blocks;
        pool->blocks = block->next;
        free(block);
    }
    free(pool->entries);
    free(pool);
}

void *strpool_alloc(struct strpool *pool, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct block *block = pool->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE - sizeof *block;
        block = memory_resize(NULL, 1, sizeof *block + room);
        block->used = 0;
        block->size = room;
        /*
         * A block made for one large record is full: the one that is being filled stays in front.
         */
        if (room == size && pool->blocks != NULL) {
            block->next = pool->blocks->next;
            pool->blocks->next = block;
        } else {
            block->next = pool->blocks;
            pool->blocks = block;
        }
    }
    void *record = block->bytes + block->used;
    block->used += size;
    return memset(record, 0, size);
}

static uint64_t hash_text(const char *text, size_t length)
{
    uint64_t hash = TS_HASH_ROOT;
    for (; length >= 8; text += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, text, sizeof word);
        hash = ts_hash_step(hash, word);
    }
    uint64_t tail = 0;
    memcpy(&tail, text, length);
    return ts_hash_mix(ts_hash_step(hash, tail << 8 | length));
}

static void grow_table(struct strpool *pool)
{
    size_t capacity = pool->capacity != 0 ? pool->capacity * 2 : 256;
    struct entry **entries = memory_resize(NULL, capacity, sizeof(struct entry *));
    memset(entries, 0, capacity * sizeof(struct entry *));
    for (size_t i = 0; i < pool->capacity; i++) {
        if (pool->entries[i] != NULL) {
            size_t slot = pool->entries[i]->hash & (capacity - 1);
            while (entries[slot] != NULL) {
                slot = (slot + 1) & (capacity - 1);
            }
            entries[slot] = pool->entries[i];
        }
    }
    free(pool->entries);
    pool->entries = entries;
    pool->capacity = capacity;
}

const char *strpool_intern_part(struct strpool *pool, const char *text, size_t length)
{
    if (pool->count * 2 >= pool->capacity) {
        grow_table(pool);
    }
    uint64_t hash = hash_text(text, length);
    size_t slot = hash & (pool->capacity - 1);
    for (struct entry *entry; (entry = pool->entries[slot]) != NULL;
         slot = (slot + 1) & (pool->capacity - 1)) {
        if (entry->hash == hash && entry->length == length &&
            memcmp(entry->text, text, length) == 0) {
            return entry->text;
        }
    }
    struct entry *entry = strpool_alloc(pool, sizeof *entry + length + 1);
    entry->hash = hash;
    entry->length = length;
    memcpy(entry->text, text, length);
    pool->entries[slot] = entry;
    pool->count++;
    return entry->text;
}

const char *strpool_intern(struct strpool *pool, const char *text)
{
    return strpool_intern_part(pool, text, strlen(text));
}

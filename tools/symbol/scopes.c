/*
 * C++ names put together from the scopes around a DIE, which libdw has no way to ask for but a walk
 * over the whole unit.
 */
#include "tools/symbol/scopes.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#define PARTS_MAX 32u
#define QUALIFIED_MAX 16384u

uint32_t scopes_begin(struct scopes *scopes, uint32_t begin, uint32_t parent)
{
    scopes->items =
        memory_grow(scopes->items, scopes->count, &scopes->capacity, sizeof *scopes->items);
    scopes->items[scopes->count] =
        (struct scope){.begin = begin, .end = UINT32_MAX, .parent = parent};
    return (uint32_t)scopes->count++;
}

void scopes_end(struct scopes *scopes, uint32_t number, uint32_t end)
{
    scopes->items[number].end = end;
}

/* The innermost scope around the offset. A parent's number is smaller: no chain is a circle. */
static uint32_t find(const struct scopes *scopes, uint32_t offset)
{
    size_t low = 0, high = scopes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scopes->items[middle].begin < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t number = low != 0 ? (uint32_t)(low - 1) : SCOPE_NONE;
    while (number != SCOPE_NONE && scopes->items[number].end <= offset) {
        number = scopes->items[number].parent;
    }
    return number;
}

static const char *scope_name(Dwarf_Die *die)
{
    const char *name = dwarf_diename(die);
    if (name == NULL && dwarf_tag(die) == DW_TAG_namespace) {
        return "(anonymous namespace)";
    }
    return name;
}

const char *scopes_qualify(const struct scopes *scopes, Dwarf *dwarf, Dwarf_Off start,
                           uint32_t offset, const char *name, struct strpool *pool)
{
    const char *parts[PARTS_MAX];
    size_t count = 0, length = 0;
    uint32_t number = find(scopes, offset);
    for (; number != SCOPE_NONE && count < PARTS_MAX; number = scopes->items[number].parent) {
        Dwarf_Die die;
        const char *part = dwarf_offdie(dwarf, start + scopes->items[number].begin, &die) != NULL
                               ? scope_name(&die)
                               : NULL;
        if (part != NULL) {
            parts[count++] = part;
        }
    }
    char text[QUALIFIED_MAX];
    while (count > 0 && length < sizeof text) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s::", parts[--count]);
    }
    if (length >= sizeof text || strlen(name) >= sizeof text - length) {
        return strpool_intern(pool, name);
    }
    strcpy(text + length, name);
    return strpool_intern(pool, text);
}

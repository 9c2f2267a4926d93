/*
 * Reads the three formats of CPython's line tables. Each is a sequence of steps: so many bytes of
 * instructions further, and a change of the line. Read once, a table is a sorted array, since a
 * large module's is asked for thousands of instructions. What follows a step that makes no sense is
 * not believed: its instructions have no line.
 */
#include "tools/symbol/python_lines.h"

#include "tools/base/strpool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* From `start` on to the next one. */
struct range {
    uint32_t start;
    uint32_t line; /* 0 = none */
};

struct python_lines {
    uint32_t first_line;
    struct range *ranges; /* starts never fall; of equal ones the last counts */
    size_t count, room;
};

static uint32_t checked_line(int64_t line)
{
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

static void add(struct python_lines *lines, uint32_t start, uint32_t line)
{
    if (lines->count > 0 && lines->ranges[lines->count - 1].line == line)
        return;
    lines->ranges =
        memory_grow(lines->ranges, lines->count, &lines->room, sizeof(*lines->ranges));
    lines->ranges[lines->count++] = (struct range){start, line};
}

/*
 * 3.9, Objects/lnotab_notes.txt: pairs of bytes, how far the next line's instructions are and how
 * much the line changes there. The last line goes on to the end of the code.
 */
static void read_lnotab(struct python_lines *lines, const uint8_t *table, uint32_t size)
{
    int64_t line = lines->first_line;
    uint32_t at = 0;
    add(lines, 0, checked_line(line));
    for (uint32_t i = 0; i + 1 < size; i += 2) {
        at += table[i];
        line += (int8_t)table[i + 1];
        add(lines, at, checked_line(line));
    }
}

/* 3.10, the same file: pairs of bytes, the length of a range and by what its line differs. */
static void read_linetable(struct python_lines *lines, const uint8_t *table, uint32_t size)
{
    int64_t line = lines->first_line;
    uint32_t at = 0;
    for (uint32_t i = 0; i + 1 < size; i += 2) {
        int8_t change = (int8_t)table[i + 1];
        bool none = change == INT8_MIN;
        line += none ? 0 : change;
        if (table[i] != 0)
            add(lines, at, none ? 0 : checked_line(line));
        at += table[i];
    }
    add(lines, at, 0);
}

/* Six bits of a number in each byte, the lowest first; the sign is the lowest of all. */
static bool read_signed(const uint8_t *from, const uint8_t *end, int64_t *number)
{
    uint64_t bits = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        if (from == end || (byte = *from++) & 0x80 || shift > 30)
            return false;
        bits |= (uint64_t)(byte & 63) << shift;
        shift += 6;
    } while (byte & 64);
    *number = bits & 1 ? -(int64_t)(bits >> 1) : (int64_t)(bits >> 1);
    return true;
}

enum { CODE_ONE_LINE = 10, CODE_NO_COLUMNS = 13, CODE_LONG = 14, CODE_NONE = 15 };

/*
 * 3.11 and later, Objects/locations.md: entries whose first byte alone has its highest bit set. Of
 * what an entry says only the line is of interest.
 */
static void read_locations(struct python_lines *lines, const uint8_t *table, uint32_t size)
{
    int64_t line = lines->first_line;
    uint32_t at = 0;
    const uint8_t *end = table + size;
    for (const uint8_t *entry = table; entry != end && *entry & 0x80;) {
        unsigned code = *entry >> 3 & 15;
        int64_t change = 0;
        if (code == CODE_NO_COLUMNS || code == CODE_LONG) {
            if (!read_signed(entry + 1, end, &change))
                break;
        } else if (code >= CODE_ONE_LINE && code < CODE_NO_COLUMNS)
            change = code - CODE_ONE_LINE;
        line += change;
        add(lines, at, code == CODE_NONE ? 0 : checked_line(line));
        at += ((*entry & 7u) + 1) * 2;
        do
            entry++;
        while (entry != end && !(*entry & 0x80));
    }
    add(lines, at, 0);
}

struct python_lines *python_lines_new(uint32_t kind, const uint8_t *table, uint32_t size,
                                      uint32_t first_line)
{
    struct python_lines *lines = memory_resize(NULL, 1, sizeof(*lines));
    *lines = (struct python_lines){.first_line = first_line};
    if (kind == TS_LINES_LNOTAB)
        read_lnotab(lines, table, size);
    else if (kind == TS_LINES_LINETABLE)
        read_linetable(lines, table, size);
    else if (kind == TS_LINES_LOCATIONS)
        read_locations(lines, table, size);
    return lines;
}

void python_lines_free(struct python_lines *lines)
{
    if (lines == NULL)
        return;
    free(lines->ranges);
    free(lines);
}

uint32_t python_lines_find(const struct python_lines *lines, uint32_t instruction)
{
    size_t low = 0, high = lines->count; /* the range is before `high` */
    if (instruction > INT32_MAX)
        return checked_line(lines->first_line);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lines->ranges[middle].start <= instruction)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? lines->ranges[low - 1].line : 0;
}

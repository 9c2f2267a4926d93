/*
 * Reads what python_lines_tables.py prints of some interpreter on stdin, asks tools/symbol for each
 * line of each table, and says where they differ. With an argument: so many tables of any bytes,
 * and such that were whole once, made by chance; only that each look-up comes back counts.
 */
#include "tools/symbol/python_lines.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX (1u << 20)
#define SHOWN_MAX 10u

static uint8_t table[TABLE_MAX];
static unsigned long tables, instructions, wrong;

static uint32_t read_table(const char *text)
{
    uint32_t size = 0;
    unsigned byte;
    for (; size < TABLE_MAX && sscanf(text, "%2x", &byte) == 1; text += 2)
        table[size++] = (uint8_t)byte;
    return size;
}

/* In a block of exactly its size, for AddressSanitizer's sake. */
static struct python_lines *read_lines(uint32_t kind, uint32_t size, uint32_t first_line)
{
    uint8_t *copy = malloc(size != 0 ? size : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, table, size);
    struct python_lines *lines = python_lines_new(kind, copy, size, first_line);
    free(copy);
    return lines;
}

static bool compare(const struct python_lines *lines, const char *runs, const char *where)
{
    uint32_t line, count, at = 0;
    int length;
    for (; sscanf(runs, "%" SCNu32 "*%" SCNu32 "%n", &line, &count, &length) == 2;
         runs += length + (runs[length] == ',')) {
        for (uint32_t i = 0; i < count; i++, at += 2, instructions++) {
            uint32_t found = python_lines_find(lines, at);
            if (found == line && python_lines_find(lines, at + 1) == line)
                continue;
            if (wrong++ < SHOWN_MAX)
                printf("# %s: at %u line %u, the interpreter says %u\n", where, at, found, line);
            return false;
        }
    }
    return true;
}

static void try_line(char *text, const char *where)
{
    char *next = NULL;
    const char *kind = strtok_r(text, " ", &next), *first = strtok_r(NULL, " ", &next);
    const char *bytes = strtok_r(NULL, " ", &next), *runs = strtok_r(NULL, " ", &next);
    if (runs == NULL)
        abort();
    uint32_t first_line = (uint32_t)strtoul(first, NULL, 10);
    struct python_lines *lines =
        read_lines((uint32_t)strtoul(kind, NULL, 10), read_table(bytes), first_line);
    if (compare(lines, runs, where) && (python_lines_find(lines, UINT32_MAX) != first_line ||
                                        python_lines_find(lines, UINT32_MAX - 1) != first_line))
        wrong++;
    python_lines_free(lines);
    tables++;
}

/* ------------------------------------------------------------------ any bytes */

static uint64_t random_state = 88172645463325252u;

static uint32_t below(uint32_t limit)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 20) % limit);
}

static void try_random(void)
{
    uint32_t size = below(4) == 0 ? below(5000) : below(40);
    bool steps = below(2) != 0; /* bytes that begin an entry of 3.11 more often */
    for (uint32_t i = 0; i < size; i++)
        table[i] = (uint8_t)(below(256) | (steps && below(3) == 0 ? 0x80 : 0));
    struct python_lines *lines = read_lines(below(5), size, below(3) == 0 ? UINT32_MAX : below(99));
    for (uint32_t i = 0; i < 50; i++)
        if (python_lines_find(lines, i % 10 == 0 ? UINT32_MAX - i : below(6000)) > INT32_MAX)
            wrong++;
    python_lines_free(lines);
    tables++;
}

int main(int argc, char **argv)
{
    char *line = NULL, *where = strdup("?");
    size_t room = 0;
    for (unsigned long i = 0; argc > 1 && i < strtoul(argv[1], NULL, 10); i++)
        try_random();
    while (argc == 1 && getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#') {
            free(where);
            where = strdup(line + 2);
        } else
            try_line(line, where);
    }
    free(line);
    free(where);
    printf("%lu tables, %lu instructions, %lu wrong\n", tables, instructions, wrong);
    return wrong != 0;
}

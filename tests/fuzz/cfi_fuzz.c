/*
 * Fuzz target: what the shim parses of a module in memory, which the linker made, or a packer, or
 * somebody by hand. Unwind tables of any bytes, and any program counter: the bytes lie in a block
 * of exactly their size, so that AddressSanitizer sees each read outside. And whole images of any
 * bytes, as a loader leaves them: some pages at the end cannot be read.
 *
 *     0: where .eh_frame_hdr begins (2 bytes), program counter (4 bytes, from there), the segment
 *     1: where .eh_frame_hdr begins (4 bytes), program counter (4 bytes, from there), pages that
 *        cannot be read (1 byte), distance of the load bias (1 byte, pages), the image
 */
#include "tests/fuzz/target.h"

/* The functions to test are static: all of the file is compiled here, and what it needs below. */
#include "shim/modules.c"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ------------------------------------------------------------------ in place of the shim */

static struct ts_header header;
struct ts_header *region_header = &header;
uint64_t sys_forbidden;

void *region_slab(enum ts_slab_kind kind, uint32_t ordinal)
{
    (void)kind, (void)ordinal;
    return NULL;
}

void rules_forget(void)
{
}

bool strings_add(const char *string, uint32_t size, uint32_t *slab, uint32_t *offset)
{
    (void)string, (void)size, (void)slab, (void)offset;
    return false;
}

void strings_forked(void)
{
}

void *memory_map(size_t size, bool reserve)
{
    (void)size, (void)reserve;
    return NULL;
}

void memory_unmap(void *memory, size_t size)
{
    (void)memory, (void)size;
}

/* ------------------------------------------------------------------ tables */

/* Every offset that a rule may have, as rules.h packs it. */
static void check(struct rule rule)
{
    fuzz_demand(rule.kind <= RULE_ODD, "a rule is of some kind");
    if (rule.kind == RULE_RSP || rule.kind == RULE_RBP || rule.kind == RULE_DEREF)
        fuzz_demand(rule.cfa_offset % 8 == 0 && rule.rbp_offset % 8 == 0 &&
                        rule.cfa_offset > -(1 << 26) && rule.cfa_offset < 1 << 26 &&
                        rule.rbp_offset > -(1 << 18) && rule.rbp_offset < 1 << 18,
                    "the offsets of a rule fit the cache");
}

/* The functions that the table names, too: a pc by chance is in none of them. */
static void try_entries(const struct cfi_tables *tables)
{
    const uint8_t *entry = tables->header + 12;
    for (int i = 0; i < 8 && entry >= tables->low && tables->high - entry >= 8; i++, entry += 8) {
        int32_t location;
        memcpy(&location, entry, 4);
        uintptr_t pc = (uintptr_t)tables->header + (uintptr_t)(intptr_t)location;
        check(cfi_find(tables, pc));
        check(cfi_find(tables, pc + 5));
        check(cfi_find(tables, pc - 1));
    }
}

static void try_tables(struct input *input)
{
    size_t offset = input_number(input, 2);
    int32_t distance = (int32_t)input_number(input, 4);
    if (input->left == 0)
        return;
    uint8_t *segment = malloc(input->left);
    memcpy(segment, input->at, input->left);
    struct cfi_tables tables = {
        .low = segment,
        .high = segment + input->left,
        .header = segment + offset % input->left,
    };
    check(cfi_find(&tables, (uintptr_t)tables.header + (uintptr_t)(intptr_t)distance));
    try_entries(&tables);
    free(segment);
}

/* ------------------------------------------------------------------ images */

static void touch(const uint8_t *byte)
{
    (void)*(const volatile uint8_t *)byte;
}

static void try_image(struct input *input)
{
    int32_t offset = (int32_t)input_number(input, 4), distance = (int32_t)input_number(input, 4);
    size_t unreadable = input_number(input, 1), bias = input_number(input, 1);
    size_t pages = (input->left + 4095) / 4096;
    if (pages == 0)
        return;
    /* A page that is nobody's on either side. */
    uint8_t *around = mmap(NULL, (pages + 2) * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fuzz_demand(around != MAP_FAILED, "memory for an image");
    uint8_t *start = around + 4096;
    mprotect(start, pages * 4096, PROT_READ | PROT_WRITE);
    memcpy(start, input->at, input->left);
    unreadable = unreadable < pages ? unreadable : pages;
    mprotect(start + (pages - unreadable) * 4096, unreadable * 4096, PROT_NONE);
    struct image image = {
        .bias = (uintptr_t)start - bias * 4096,
        .start = (uintptr_t)start,
        .end = (uintptr_t)start + pages * 4096,
        .tables = {NULL, NULL, start + offset},
        .path = "/usr/lib/libhand-made.so",
        .build_id = (const uint8_t *)"",
    };
    read_headers(&image);
    fuzz_demand(image.build_id_size <= TS_BUILD_ID_MAX, "a build-id fits");
    for (uint32_t i = 0; i < image.build_id_size; i++)
        touch(&image.build_id[i]);
    if (image.tables.low != NULL) {
        fuzz_demand((uintptr_t)image.tables.low >= image.start &&
                        (uintptr_t)image.tables.high <= image.end &&
                        image.tables.low < image.tables.high,
                    "tables lie within the module");
        for (const uint8_t *page = image.tables.low; page < image.tables.high; page += 4096)
            touch(page);
        uintptr_t pc = (uintptr_t)image.tables.header + (uintptr_t)(intptr_t)distance;
        check(cfi_find(&image.tables, pc));
        try_entries(&image.tables);
    }
    munmap(around, (pages + 2) * 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    if (input_number(&input, 1) == 0)
        try_tables(&input);
    else
        try_image(&input);
    return 0;
}

/*
 * The oracle of the symbol tests: binutils' addr2line, which reads DWARF with code of its own.
 * Every address of every function is compared, all inlined frames of it.
 */
#include "tests/unit/symbol_fixture.h"

#include "tools/symbol/elf_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 5u

static bool write_addresses(const char *file)
{
    char path[sizeof test_directory + 256];
    snprintf(path, sizeof path, "%s/%s", test_directory, file);
    struct elf_file *elf = elf_file_open(path);
    snprintf(path, sizeof path, "%s/addresses", test_directory);
    FILE *out = fopen(path, "w");
    GElf_Shdr header;
    Elf_Scn *scn = elf != NULL ? elf_file_section(elf, ".symtab", &header) : NULL;
    Elf_Data *data = scn != NULL ? elf_getdata(scn, NULL) : NULL;
    GElf_Sym sym;
    for (int i = 0; out != NULL && data != NULL && gelf_getsym(data, i, &sym) != NULL; i++) {
        if (GELF_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_shndx != SHN_UNDEF) {
            for (uint64_t n = 0; n < sym.st_size; n++) {
                fprintf(out, "%#lx\n", (unsigned long)(sym.st_value + n));
            }
        }
    }
    elf_file_close(elf);
    return out != NULL && fclose(out) == 0;
}

/*
 * Where the tool knows more, on purpose: the moved-away parts of a function have the function's
 * name; a name without parameters has its scopes; and it is not replaced by the symbol table's,
 * which is that of the function that all is inlined into.
 */
static bool same_function(const struct symbol_result *result, size_t number, const char *theirs)
{
    const char *own = result->frames[number].function;
    const char *outermost = result->frames[result->count - 1].function;
    if (number == 0 && outermost != NULL && strcmp(theirs, outermost) == 0) {
        return true;
    }
    if (own == NULL) {
        return strcmp(theirs, "??") == 0;
    }
    size_t length = strlen(own), suffix = strlen(theirs);
    bool is_part = strncmp(theirs, own, length) == 0 && strstr(theirs + length, ".cold") != NULL;
    bool is_scoped = length > suffix + 2 && strcmp(own + length - suffix, theirs) == 0 &&
                     strncmp(own + length - suffix - 2, "::", 2) == 0;
    return strcmp(own, theirs) == 0 || is_part || is_scoped;
}

/*
 * "file:line", "file:line (discriminator 3)"; a line of 0 or "?" says nothing, nor does the file
 * then.
 */
static bool same_place(const struct symbol_frame *frame, char *theirs)
{
    char *colon = strrchr(theirs, ':');
    unsigned long line = colon != NULL ? strtoul(colon + 1, NULL, 10) : 0;
    if (line == 0) {
        return true;
    }
    *colon = '\0';
    char resolved[8192];
    const char *file = realpath(theirs, resolved) != NULL ? resolved : theirs;
    return frame->line == line && frame->file != NULL && strcmp(frame->file, file) == 0;
}

static bool read_line(FILE *in, char *text, int size)
{
    if (fgets(text, size, in) == NULL) {
        return false;
    }
    text[strcspn(text, "\n")] = '\0';
    return true;
}

struct comparison {
    struct symbolizer *symbolizer;
    const struct capture_module *module;
    unsigned long addresses, frames, different;
};

/* One address: `line` holds it, and afterwards the next one; false at the end. */
static bool compare_address(struct comparison *all, FILE *in, char *line, int size)
{
    unsigned long address = strtoul(line, NULL, 16);
    const struct symbol_result *result =
        symbolizer_lookup(all->symbolizer, all->module, address);
    char function[65536], difference[512] = "";
    size_t count = 0;
    bool more;
    while ((more = read_line(in, function, sizeof function)) && strncmp(function, "0x", 2) != 0 &&
           read_line(in, line, size)) {
        const struct symbol_frame *frame = &result->frames[count];
        if (count < result->count && difference[0] == '\0' &&
            (!same_function(result, count, function) || !same_place(frame, line))) {
            snprintf(difference, sizeof difference, "frame %zu is %.80s at %.60s:%u, not %.80s",
                     count, frame->function != NULL ? frame->function : "NULL",
                     frame->file != NULL ? frame->file : "NULL", frame->line, function);
        }
        count++;
    }
    if (count != result->count) {
        snprintf(difference, sizeof difference, "%zu frames, not %zu", result->count, count);
    }
    all->addresses++;
    all->frames += result->count;
    if (difference[0] != '\0' && ++all->different <= SHOWN_MAX) {
        printf("# %#lx: %s\n", address, difference);
    }
    snprintf(line, (size_t)size, "%s", function);
    return more;
}

void test_compare_with_addr2line(const char *file)
{
    if (!test_shell("command -v addr2line") || test_shell("$CXX --version | grep -qi clang")) {
        test_skip("needs addr2line, and a compiler whose DWARF it reads without errors (gcc)");
        return;
    }
    if (!write_addresses(file) ||
        !test_run("addr2line -afiC -e %s < addresses > oracle", file)) {
        return;
    }
    char path[sizeof test_directory + 256], line[65536];
    snprintf(path, sizeof path, "%s/oracle", test_directory);
    FILE *in = fopen(path, "r");
    struct comparison all = {
        .symbolizer = test_symbolizer(NULL, NULL),
        .module = test_module(file),
    };
    if (in == NULL || !read_line(in, line, sizeof line)) {
        test_fail("addr2line printed nothing for '%s'", file);
    } else {
        while (compare_address(&all, in, line, sizeof line)) {
        }
    }
    if (in != NULL) {
        fclose(in);
    }
    symbolizer_free(all.symbolizer);
    printf("# %s: %lu addresses, %lu frames, %lu different\n", file, all.addresses, all.frames,
           all.different);
    if (all.addresses < 1000 || all.frames < all.addresses) {
        test_fail("too little was compared");
    }
    /* addr2line takes the wrong file for some rows of the line table: a few in ten thousand. */
    if (all.different * 1000 > all.addresses) {
        test_fail("compare by hand: addr2line -afiC -e '%s' ADDRESS", all.module->path);
    }
}

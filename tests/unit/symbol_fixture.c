/*
 * Building and looking at the programs of the symbol tests.
 */
#include "tests/unit/symbol_fixture.h"

#include "tools/base/strpool.h"
#include "tools/symbol/elf_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char test_directory[4096];
unsigned test_problems;
char test_problem[8192];

static unsigned tests, failures;
static const char *current, *skipped;
static bool failed;
static struct capture_module **modules;
static size_t module_count, module_capacity;

static void remove_directory(void)
{
    char command[sizeof test_directory + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", test_directory);
    if (system(command) != 0) {
        fprintf(stderr, "# '%s' could not be removed\n", test_directory);
    }
}

void test_start(void)
{
    const char *base = getenv("TMPDIR");
    char template[2048];
    snprintf(template, sizeof template, "%s/tracesnap-symbol-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(template) == NULL || realpath(template, test_directory) == NULL) {
        perror(template);
        exit(1);
    }
    atexit(remove_directory);
    setenv("CC", "gcc", 0);
    setenv("CXX", "g++", 0);
    /* The programs under test must not depend on what the suite itself is compiled with. */
    unsetenv("DEBUGINFOD_URLS");
}

int test_finish(void)
{
    for (size_t i = 0; i < module_count; i++) {
        free(modules[i]->path);
        free(modules[i]);
    }
    free(modules);
    printf("1..%u\n", tests);
    return failures != 0;
}

void test_begin(const char *name)
{
    current = name;
    skipped = NULL;
    failed = false;
    test_problems = 0;
    test_problem[0] = '\0';
}

void test_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("# ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    failed = true;
}

void test_skip(const char *reason)
{
    skipped = reason;
}

void test_end(void)
{
    tests++;
    failures += failed;
    printf("%s %u - %s", failed ? "not ok" : "ok", tests, current);
    printf(skipped != NULL && !failed ? " # SKIP %s\n" : "\n", skipped);
    fflush(stdout);
}

static bool run(char *command, size_t size, const char *format, va_list arguments)
{
    int length = snprintf(command, size, "exec 2>&1; cd '%s' && { ", test_directory);
    length += vsnprintf(command + length, size - (size_t)length, format, arguments);
    snprintf(command + length, size - (size_t)length, "; } > shell.log");
    return system(command) == 0;
}

bool test_shell(const char *format, ...)
{
    char command[16384];
    va_list arguments;
    va_start(arguments, format);
    bool good = run(command, sizeof command, format, arguments);
    va_end(arguments);
    return good;
}

bool test_run(const char *format, ...)
{
    char command[16384];
    va_list arguments;
    va_start(arguments, format);
    bool good = run(command, sizeof command, format, arguments);
    va_end(arguments);
    if (!good) {
        test_fail("this command failed: %s", command);
        test_shell("sed 's/^/# /' shell.log >&2");
    }
    return good;
}

static const char *full_path(const char *name)
{
    static char path[sizeof test_directory + 256];
    snprintf(path, sizeof path, "%s/%s", test_directory, name);
    return path;
}

void test_write(const char *name, const char *text)
{
    FILE *file = fopen(full_path(name), "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        test_fail("'%s' cannot be written", name);
    }
}

uint64_t test_address(const char *file, const char *symbol)
{
    struct elf_file *elf = elf_file_open(full_path(file));
    uint64_t address = 0;
    GElf_Shdr header;
    Elf_Scn *scn = elf != NULL ? elf_file_section(elf, ".symtab", &header) : NULL;
    Elf_Data *data = scn != NULL ? elf_getdata(scn, NULL) : NULL;
    GElf_Sym sym;
    for (int i = 0; data != NULL && gelf_getsym(data, i, &sym) != NULL; i++) {
        const char *name = elf_strptr(elf->elf, header.sh_link, sym.st_name);
        if (name != NULL && strcmp(name, symbol) == 0) {
            address = sym.st_value;
        }
    }
    elf_file_close(elf);
    if (address == 0) {
        test_fail("'%s' has no symbol '%s'", file, symbol);
    }
    return address;
}

static void take_problem(void *context, const char *text)
{
    (void)context;
    test_problems++;
    snprintf(test_problem, sizeof test_problem, "%s", text);
}

struct symbolizer *test_symbolizer(const char *sysroot, const char *process_root)
{
    struct symbol_options options = {
        .sysroot = sysroot,
        .process_root = process_root,
        .debuginfo = true,
        .problem = take_problem,
    };
    return symbolizer_new(&options);
}

struct capture_module *test_path_module(const char *path)
{
    size_t size = strlen(path) + 1;
    struct capture_module *module = memory_resize(NULL, 1, sizeof *module);
    *module = (struct capture_module){0};
    module->path = memcpy(memory_resize(NULL, size, 1), path, size);
    modules = memory_grow(modules, module_count, &module_capacity, sizeof(module));
    modules[module_count++] = module;
    return module;
}

struct capture_module *test_module(const char *file)
{
    struct capture_module *module = test_path_module(full_path(file));
    struct elf_file *elf = elf_file_open(module->path);
    if (elf == NULL) {
        test_fail("'%s' is no ELF file", file);
        return module;
    }
    for (size_t i = 0; i < elf->id.size && i < sizeof module->build_id; i++) {
        module->build_id[module->build_id_size++] = elf->id.bytes[i];
    }
    elf_file_close(elf);
    return module;
}

struct capture_module *test_other_module(const char *file)
{
    struct capture_module *module = test_module(file);
    module->build_id[3] ^= 0xff;
    return module;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

void test_expect(struct symbolizer *symbolizer, const struct capture_module *module,
                 uint64_t offset, const struct expected_frame *expected, size_t count)
{
    const struct symbol_result *result = symbolizer_lookup(symbolizer, module, offset);
    bool good = result->count == count;
    for (size_t i = 0; good && i < count; i++) {
        const struct symbol_frame *frame = &result->frames[i];
        const char *file = expected[i].file != NULL ? full_path(expected[i].file) : NULL;
        good = same(frame->function, expected[i].function) && same(frame->file, file) &&
               frame->line == expected[i].line && frame->inlined == (i + 1 < count);
    }
    if (good) {
        return;
    }
    test_fail("'%s' at %#lx:", module->path, (unsigned long)offset);
    for (size_t i = 0; i < result->count; i++) {
        const struct symbol_frame *frame = &result->frames[i];
        printf("#   found    %s at %s:%u%s\n", frame->function ? frame->function : "NULL",
               frame->file ? frame->file : "NULL", frame->line, frame->inlined ? ", inlined" : "");
    }
    for (size_t i = 0; i < count; i++) {
        printf("#   expected %s at %s:%u\n", expected[i].function ? expected[i].function : "NULL",
               expected[i].file ? expected[i].file : "NULL", expected[i].line);
    }
}

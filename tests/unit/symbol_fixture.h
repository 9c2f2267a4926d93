/*
 * What the symbol tests share: a temporary directory, programs compiled into it at test time, and
 * checks that say what was found instead.
 */
#ifndef TRACESNAP_TESTS_UNIT_SYMBOL_FIXTURE_H
#define TRACESNAP_TESTS_UNIT_SYMBOL_FIXTURE_H

#include "tools/symbol/symbol.h"

#include <stdbool.h>
#include <stdint.h>

/* The temporary directory, without links in it; removed at exit. */
extern char test_directory[4096];

void test_start(void);

/* Ends the test program: prints the plan, returns its exit status. */
int test_finish(void);

/* One TAP line; the text after a failed one says what to look at. */
void test_begin(const char *name);
void test_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void test_skip(const char *reason);
void test_end(void);

/*
 * Runs a shell command in the temporary directory, with $CC and $CXX set; true when it exits with
 * 0.
 */
bool test_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, but a failure fails the test. */
bool test_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a file into the temporary directory. */
void test_write(const char *name, const char *text);

/*
 * The address of a symbol in .symtab of a file in the temporary directory; fails the test if there
 * is none.
 */
uint64_t test_address(const char *file, const char *symbol);

/* A symbolizer that counts problems, and the last one's text. */
extern unsigned test_problems;
extern char test_problem[8192];
struct symbolizer *test_symbolizer(const char *sysroot, const char *process_root);

/* A module for a file in the temporary directory, with its build-id; freed at exit. */
struct capture_module *test_module(const char *file);

/* The same path with a build-id of other bytes. */
struct capture_module *test_other_module(const char *file);

/* A module with any path and no build-id. */
struct capture_module *test_path_module(const char *path);

struct expected_frame {
    const char *function; /* NULL = must be unknown */
    const char *file;     /* below the temporary directory; NULL = must be unknown */
    uint32_t line;
};

/* Fails the test unless the look-up gives just these frames. */
void test_expect(struct symbolizer *symbolizer, const struct capture_module *module,
                 uint64_t offset, const struct expected_frame *expected, size_t count);

/* The tests of symbol_files.c. */
void test_files(void);

/*
 * symbol_inline.c: a shared object in which the label `mark` stands in leaf, inlined into middle,
 * inlined into outer, and the label `lonely` in hidden, which is not exported.
 */
extern const struct expected_frame expected_inlined[3]; /* at `mark`, with DWARF */
extern const struct expected_frame expected_outer[1];   /* at `mark`, by the symbol table */
extern const struct expected_frame expected_lonely[1];  /* at `lonely`, with DWARF */
extern const struct expected_frame expected_nothing[1];
bool test_build_inline(const char *output, const char *flags);

/*
 * Looks `mark` up in a file, which must cause no problem. The address is taken from `symbols`,
 * which has a symbol table.
 */
void test_expect_mark(const char *file, const char *symbols, const char *sysroot,
                      const struct expected_frame *expected, size_t count);

/* Compares every address of every function of a file with addr2line. */
void test_compare_with_addr2line(const char *file);

#endif

/*
 * The program that most symbol tests look at: three functions inlined into each other, and one that
 * no symbol table but the full one knows.
 */
#include "tests/unit/symbol_fixture.h"

/* The label `mark` stands in leaf, inlined into middle, inlined into outer. */
static const char inline_source[] = "#define INLINE static inline __attribute__((always_inline))\n"
                                    "int sink;\n"
                                    "INLINE void leaf(int x) {\n"
                                    "    __asm__ volatile(\"mark: nop\" ::\"r\"(x));\n" /* 4 */
                                    "}\n"
                                    "INLINE void middle(int x) {\n"
                                    "    sink += x;\n"
                                    "    leaf(x);\n" /* 8 */
                                    "    sink -= x;\n"
                                    "}\n"
                                    "__attribute__((noinline)) void outer(int x) {\n"
                                    "    sink *= 3;\n"
                                    "    middle(x + 1);\n" /* 13 */
                                    "    sink *= 5;\n"
                                    "}\n"
                                    "__attribute__((noinline)) static void hidden(void) {\n"
                                    "    __asm__ volatile(\"lonely: nop\");\n" /* 17 */
                                    "}\n"
                                    "int run(void) { outer(sink); hidden(); return sink; }\n";

const struct expected_frame expected_inlined[3] = {
    {"leaf", "src/inline.c", 4},
    {"middle", "src/inline.c", 8},
    {"outer", "src/inline.c", 13},
};
const struct expected_frame expected_outer[1] = {{"outer", NULL, 0}};
const struct expected_frame expected_lonely[1] = {{"hidden", "src/inline.c", 17}};
const struct expected_frame expected_nothing[1] = {{NULL, NULL, 0}};

bool test_build_inline(const char *output, const char *flags)
{
    test_write("src/inline.c", inline_source);
    return test_run("mkdir -p build && cd build && $CC -shared -fPIC -O2 -g -Wl,--build-id=sha1 "
                    "%s ../src/./inline.c -o '%s/%s'",
                    flags, test_directory, output);
}

void test_expect_mark(const char *file, const char *symbols, const char *sysroot,
                      const struct expected_frame *expected, size_t count)
{
    struct symbolizer *symbolizer = test_symbolizer(sysroot, NULL);
    test_expect(symbolizer, test_module(file), test_address(symbols, "mark"), expected, count);
    symbolizer_free(symbolizer);
    if (test_problems != 0) {
        test_fail("a problem was told: %s", test_problem);
    }
}

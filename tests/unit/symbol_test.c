/*
 * Tests of the symbolizer with programs that are compiled here and now, each of which has a place
 * whose functions, files and lines are known beforehand. `tests/unit/symbol_test` runs it alone.
 */
#include "tests/unit/symbol_fixture.h"

#include "tools/symbol/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void test_inlining(const char *name, const char *flags)
{
    test_begin(name);
    if (test_build_inline("inline.so", flags)) {
        test_expect_mark("inline.so", "inline.so", NULL, expected_inlined, 3);
    }
    test_end();
}

static void test_dwarf_forms(void)
{
    test_inlining("inlined frames, DWARF 5", "-gdwarf-5");
    test_inlining("inlined frames, DWARF 4", "-gdwarf-4");
    test_inlining("compressed debug sections", "-gz");
    test_inlining("split DWARF", "-gsplit-dwarf");
    test_inlining("functions in sections, with discarded ones",
                  "-ffunction-sections -Wl,--gc-sections");

    test_begin("no .debug_aranges, as from clang");
    if (test_build_inline("full.so", "") &&
        test_run("objcopy -R .debug_aranges full.so noaranges.so")) {
        test_expect_mark("noaranges.so", "full.so", NULL, expected_inlined, 3);
    }
    test_end();

    test_begin("what dwz moved to a common file");
    if (!test_shell("command -v dwz")) {
        test_skip("needs dwz");
    } else if (test_build_inline("one.so", "-gdwarf-4") &&
               test_build_inline("two.so", "-gdwarf-4 -DTWO") &&
               test_run("rm -f common.dwz; dwz -m common.dwz one.so two.so && "
                        "readelf -S one.so | grep debugaltlink")) {
        test_expect_mark("one.so", "one.so", NULL, expected_inlined, 3);
    }
    test_end();
}

static void test_symbol_tables(void)
{
    test_begin("no DWARF: the function of .symtab, no inlined ones, no lines");
    if (test_build_inline("full.so", "") && test_run("strip --strip-debug full.so -o symtab.so")) {
        test_expect_mark("symtab.so", "full.so", NULL, expected_outer, 1);
        struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
        const struct expected_frame static_function[] = {{"hidden", NULL, 0}};
        struct capture_module *module = test_module("symtab.so");
        test_expect(symbolizer, module, test_address("full.so", "lonely"), static_function, 1);
        test_expect(symbolizer, module, 0x40, expected_nothing, 1);
        symbolizer_free(symbolizer);
    }
    test_end();

    test_begin("stripped: what is exported has a name, what is not has none");
    if (test_run("strip -s full.so -o stripped.so")) {
        test_expect_mark("stripped.so", "full.so", NULL, expected_outer, 1);
        struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
        test_expect(symbolizer, test_module("stripped.so"), test_address("full.so", "lonely"),
                    expected_nothing, 1);
        symbolizer_free(symbolizer);
    }
    test_end();

    test_begin(".gnu_debugdata");
    if (!test_shell("command -v xz")) {
        test_skip("needs xz");
    } else if (test_run("objcopy -S --keep-symbol=hidden full.so mini && "
                        "rm -f mini.xz && xz mini && "
                        "objcopy --add-section .gnu_debugdata=mini.xz stripped.so minidebug.so")) {
        struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
        const struct expected_frame static_function[] = {{"hidden", NULL, 0}};
        test_expect(symbolizer, test_module("minidebug.so"), test_address("full.so", "lonely"),
                    static_function, 1);
        symbolizer_free(symbolizer);
    }
    test_end();
}

static const char names_source[] =
    "#include <string>\n"
    "namespace { struct Local { int value; __attribute__((noinline)) Local(int v) : value(v) {\n"
    "    __asm__ volatile(\"in_constructor: nop\"); } }; }\n" /* 3 */
    "namespace a { namespace b { template <class T> struct Box {\n"
    "    __attribute__((noinline)) T twice(T x) { __asm__ volatile(\"in_template: nop\");\n" /* 5 */
    "        return x + x; } }; } }\n"
    "template <class F> struct Caller { static __attribute__((always_inline)) void go(F f) {\n"
    "    __asm__ volatile(\"in_caller: nop\"); f(); } };\n" /* 8 */
    "volatile int sink;\n"
    "extern \"C\" int run() { Local local(sink); auto f = [] { sink = 1; };\n"
    "    Caller<decltype(f)>::go(f);\n" /* 11 */
    "    return local.value + a::b::Box<int>().twice(sink); }\n";

static void test_names(void)
{
    test_begin("C++ names: demangled, and complete without a linkage name");
    test_write("src/names.cc", names_source);
    if (test_run("$CXX -shared -fPIC -O2 -g src/names.cc -o names.so")) {
        struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
        struct capture_module *module = test_module("names.so");
        const struct expected_frame constructor[] = {
            {"(anonymous namespace)::Local::Local(int)", "src/names.cc", 3}};
        const struct expected_frame template_function[] = {
            {"a::b::Box<int>::twice(int)", "src/names.cc", 5}};
        test_expect(symbolizer, module, test_address("names.so", "in_constructor"), constructor,
                    1);
        test_expect(symbolizer, module, test_address("names.so", "in_template"), template_function,
                    1);
        uint64_t caller = test_address("names.so", "in_caller");
        const struct symbol_result *result = symbolizer_lookup(symbolizer, module, caller);
        if (result->count != 2 || strncmp(result->frames[0].function, "Caller<run", 10) != 0 ||
            strstr(result->frames[0].function, ">::go") == NULL || result->frames[0].line != 8 ||
            strcmp(result->frames[1].function, "run") != 0 || result->frames[1].line != 11) {
            test_fail("found %s:%u as the first of %zu frames", result->frames[0].function,
                      result->frames[0].line, result->count);
        }
        symbolizer_free(symbolizer);
    }
    test_end();

    test_begin("Rust names, both manglings; and C++ that is not one");
    test_write("src/rust.s", ".text\n"
               ".macro function name\n.type \\name, @function\n"
               "\\name: nop\n.size \\name, 1\n.endm\n"
               "function _ZN4core3fmt9Formatter3pad17h0123456789abcdefE\n"
               "function _RNvC6_123foo3bar\n"
               "function _RNvMs_Cs4Cv8Wi1oAIB_5helloNtB4_4Vec24push\n"
               "function _Zbroken\n"
               ".section .note.GNU-stack\n");
    if (test_run("$CC -shared -nostdlib src/rust.s -o rust.so")) {
        static const char *const names[][2] = {
            {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
            {"_RNvC6_123foo3bar", "123foo::bar"},
            {"_RNvMs_Cs4Cv8Wi1oAIB_5helloNtB4_4Vec24push", "<hello::Vec2>::push"},
            {"_Zbroken", "_Zbroken"},
        };
        struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
        struct capture_module *module = test_module("rust.so");
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            const struct expected_frame expected[] = {{names[i][1], NULL, 0}};
            test_expect(symbolizer, module, test_address("rust.so", names[i][0]), expected, 1);
        }
        symbolizer_free(symbolizer);
    }
    test_end();
}

/* By hand, since gas leaves rows with line 0 out. */
static void test_line_zero(void)
{
    struct unit_row rows[] = {{0, 5, 1},  {4, 0, 1},         {8, 6, 2}, {12, 0, 1},
                              {14, 0, 1}, {16, LINE_END, 0}, {20, 0, 1}};
    const struct unit unit = {.base = 0x1000, .rows = rows, .row_count = 7};
    const struct {
        uint64_t address, start;
        int row; /* -1 = none */
    } cases[] = {
        {0x1000, 0x1000, 0},  {0x1003, 0x1000, 0}, {0x1004, 0x1000, 0}, {0x1004, 0x1004, 1},
        {0x100a, 0x1000, 2},  {0x100f, 0x1008, 2}, {0x100f, 0x100c, 4}, {0x1010, 0x1000, -1},
        {0x1014, 0x1000, 6}, {0xfff, 0, -1},
    };
    test_begin("line 0: the line before it, but not from outside the function or sequence");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct unit_row *row = unit_find_row(&unit, cases[i].address, cases[i].start);
        const struct unit_row *expected = cases[i].row < 0 ? NULL : &rows[cases[i].row];
        /* A row without a line may stand for another one without. */
        if (row != expected && (row == NULL || expected == NULL || row->line != expected->line)) {
            test_fail("%#lx in code from %#lx: line %d", (unsigned long)cases[i].address,
                      (unsigned long)cases[i].start, row != NULL ? (int)row->line : -1);
        }
    }
    test_end();
}

static void test_sharing(void)
{
    test_begin("equal modules share results, equal strings are one");
    struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
    uint64_t mark = test_address("full.so", "mark");
    const struct symbol_result *a = symbolizer_lookup(symbolizer, test_module("full.so"), mark);
    const struct symbol_result *b = symbolizer_lookup(symbolizer, test_module("full.so"), mark);
    const struct symbol_result *c =
        symbolizer_lookup(symbolizer, test_module("noaranges.so"), mark);
    if (a != b || a == c || a->count != 3 || c->count != 3 ||
        a->frames[0].function != c->frames[0].function || a->frames[0].file != c->frames[2].file) {
        test_fail("%zu, %zu and %zu frames", a->count, b->count, c->count);
    }
    symbolizer_free(symbolizer);
    test_end();

    test_begin("more modules than may be open: closed ones come back");
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 200;
    if (test_run("mkdir -p many && for i in $(seq 300); do ln -f full.so many/$i.so; done")) {
        struct capture_module *many[300];
        char name[32];
        for (unsigned i = 0; i < 300; i++) {
            snprintf(name, sizeof name, "many/%u.so", i + 1);
            many[i] = test_module(name);
        }
        setrlimit(RLIMIT_NOFILE, &limit);
        symbolizer = test_symbolizer(NULL, NULL);
        struct capture_module *missing = test_path_module("/nonexistent/lib.so");
        test_expect(symbolizer, missing, mark, expected_nothing, 1);
        for (unsigned i = 0; i < 300; i++) {
            test_expect(symbolizer, many[i], mark, expected_inlined, 3);
        }
        /* Another offset than before: kept results would answer without the files. */
        uint64_t other = test_address("full.so", "lonely");
        for (unsigned i = 0; i < 300; i++) {
            test_expect(symbolizer, many[i], other, expected_lonely, 1);
        }
        test_expect(symbolizer, missing, other, expected_nothing, 1);
        if (test_problems != 1) {
            test_fail("%u problems, not one: %s", test_problems, test_problem);
        }
        symbolizer_free(symbolizer);
        limit.rlim_cur = before;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    test_end();
}

static const char oracle_source[] =
    "#include <algorithm>\n#include <functional>\n#include <map>\n#include <memory>\n"
    "#include <string>\n#include <vector>\n"
    "template <class F> static int apply(F f, int n) {\n"
    "    int s = 0; for (int i = 0; i < n; i++) s += f(i); return s; }\n"
    "namespace a { template <class T> struct Box { std::vector<T> v;\n"
    "    void add(T t) { v.push_back(std::move(t)); }\n"
    "    virtual ~Box() {} virtual int sum() { int s = 0; for (auto &x : v) s += (int)x.size();\n"
    "        return s; } }; }\n"
    "int run(int n) {\n"
    "    a::Box<std::string> b; for (int i = 0; i < n; i++) b.add(std::to_string(i));\n"
    "    std::map<std::string, std::unique_ptr<int>> m;\n"
    "    for (auto &s : b.v) m[s] = std::make_unique<int>((int)s.size());\n"
    "    std::function<int(int)> f = [&](int x) { struct In { int g(int y) {\n"
    "        return y + (int)std::string(y, 'a').size(); } } in; return in.g(x) + b.sum(); };\n"
    "    std::sort(b.v.begin(), b.v.end(), [](auto &x, auto &y) { return x < y; });\n"
    "    try { if (n > 5) throw n; } catch (int) { n--; }\n"
    "    return apply([&](int x) { return f(x) + (int)m.size(); }, n); }\n";

static void test_oracle(const char *name, const char *flags)
{
    test_begin(name);
    test_write("src/oracle.cc", oracle_source);
    if (test_run("$CXX -shared -fPIC -g %s src/oracle.cc -o oracle.so", flags)) {
        test_compare_with_addr2line("oracle.so");
    }
    test_end();
}

int main(void)
{
    test_start();
    if (!test_shell("mkdir -p src && $CC --version && $CXX --version && command -v objcopy")) {
        printf("1..0 # SKIP needs a C and a C++ compiler and binutils\n");
        return 77;
    }
    test_dwarf_forms();
    test_symbol_tables();
    test_files();
    test_names();
    test_line_zero();
    test_sharing();
    test_oracle("every address as addr2line has it: -O2", "-O2");
    test_oracle("every address as addr2line has it: -O0, DWARF 4", "-O0 -gdwarf-4");
    test_oracle("every address as addr2line has it: -O2, DWARF 4, link-time optimisation",
                "-O2 -gdwarf-4 -flto");
    return test_finish();
}

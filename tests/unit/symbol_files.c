/*
 * Symbol tests of which file is taken: separate debug files in all their places, and files that are
 * missing, damaged or not the traced ones.
 */
#include "tests/unit/symbol_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_debuglink(void)
{
    test_begin("debug files by .gnu_debuglink, with the right checksum only");
    if (!test_build_inline("full.so", "-Wl,--build-id=none") ||
        !test_run("rm -rf link && mkdir -p link/.debug link/sys/usr/lib/debug%s/link && "
                  "objcopy --only-keep-debug full.so link/x.debug && "
                  "objcopy -S --add-gnu-debuglink=link/x.debug full.so link/x.so",
                  test_directory)) {
        test_end();
        return;
    }
    char sysroot[sizeof test_directory + 16];
    snprintf(sysroot, sizeof sysroot, "%s/link/sys", test_directory);
    test_expect_mark("link/x.so", "full.so", NULL, expected_inlined, 3);
    if (test_run("mv link/x.debug link/.debug/")) {
        test_expect_mark("link/x.so", "full.so", NULL, expected_inlined, 3);
    }
    if (test_run("mkdir -p link/sys%s/link && cp link/x.so link/sys%s/link/ && "
                 "mv link/.debug/x.debug link/sys/usr/lib/debug%s/link/",
                 test_directory, test_directory, test_directory)) {
        test_expect_mark("link/x.so", "full.so", NULL, expected_outer, 1);
        test_expect_mark("link/x.so", "full.so", sysroot, expected_inlined, 3);
    }
    if (test_run("echo >> link/sys/usr/lib/debug%s/link/x.debug", test_directory)) {
        test_expect_mark("link/x.so", "full.so", sysroot, expected_outer, 1);
    }
    test_end();
}

/* Makes a shell variable `id` of the build-id of full.so, cut as in its path. */
#define BUILD_ID \
    "id=$(readelf -n full.so | sed -n 's/.*Build ID: //p') && " \
    "dir=$(echo $id | cut -c1-2) && rest=$(echo $id | cut -c3-) && "

static void test_build_id_path(void)
{
    test_begin("debug files by build-id below the sysroot, or the process's root");
    char sysroot[sizeof test_directory + 16];
    snprintf(sysroot, sizeof sysroot, "%s/sys", test_directory);
    if (test_build_inline("full.so", "") &&
        test_run(BUILD_ID "rm -rf sys && mkdir -p sys%s sys/usr/lib/debug/.build-id/$dir && "
                 "strip -s full.so -o sys%s/plain.so && cp sys%s/plain.so plain.so && "
                 "objcopy --only-keep-debug full.so "
                 "sys/usr/lib/debug/.build-id/$dir/$rest.debug",
                 test_directory, test_directory, test_directory)) {
        uint64_t mark = test_address("full.so", "mark");
        struct capture_module *module = test_module("plain.so");
        test_expect_mark("plain.so", "full.so", NULL, expected_outer, 1);
        test_expect_mark("plain.so", "full.so", sysroot, expected_inlined, 3);

        struct symbolizer *symbolizer = test_symbolizer(NULL, sysroot);
        test_expect(symbolizer, module, mark, expected_inlined, 3);
        symbolizer_free(symbolizer);

        /* The module itself is gone, or another one now: its debug file still proves itself. */
        test_run("rm sys%s/plain.so", test_directory);
        test_expect_mark("plain.so", "full.so", sysroot, expected_inlined, 3);
        test_run("%s", "echo 'int other;' > other.c && "
                 "$CC -shared -fPIC -Wl,--build-id=sha1 other.c -o plain.so");
        symbolizer = test_symbolizer(sysroot, NULL);
        test_expect(symbolizer, module, mark, expected_inlined, 3);
        symbolizer_free(symbolizer);
    }
    test_end();

    test_begin("debug files from debuginfod");
    if (!test_shell("ldconfig -p | grep -q libdebuginfod.so.1")) {
        test_skip("needs libdebuginfod");
    } else if (test_run(BUILD_ID "rm -rf srv sys && mkdir -p sys srv/buildid/$id && "
                        "strip -s full.so -o plain.so && "
                        "objcopy --only-keep-debug full.so srv/buildid/$id/debuginfo")) {
        char url[sizeof test_directory + 16], cache[sizeof test_directory + 16];
        snprintf(url, sizeof url, "file://%s/srv", test_directory);
        snprintf(cache, sizeof cache, "%s/cache", test_directory);
        setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
        setenv("DEBUGINFOD_URLS", url, 1);
        test_expect_mark("plain.so", "full.so", NULL, expected_inlined, 3);
        unsetenv("DEBUGINFOD_URLS");
    }
    test_end();
}

static void expect_problem(const char *text)
{
    if (test_problems != 1 || strstr(test_problem, text) == NULL) {
        test_fail("%u problems, not one with '%s': %s", test_problems, text, test_problem);
    }
}

static void test_wrong_files(void)
{
    test_begin("another build-id: no names, and said once");
    if (test_build_inline("full.so", "")) {
        struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
        struct capture_module *module = test_other_module("full.so");
        uint64_t mark = test_address("full.so", "mark");
        test_expect(symbolizer, module, mark, expected_nothing, 1);
        test_expect(symbolizer, module, mark + 1, expected_nothing, 1);
        symbolizer_free(symbolizer);
        expect_problem("full.so' has another build-id than the traced one");
    }
    test_end();

    test_begin("a missing file: no names, and said once");
    struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
    struct capture_module *module = test_path_module("/nonexistent/lib.so");
    test_expect(symbolizer, module, 0x1000, expected_nothing, 1);
    test_expect(symbolizer, module, 0x2000, expected_nothing, 1);
    expect_problem("'/nonexistent/lib.so' cannot be opened (No such file or directory)");
    symbolizer_free(symbolizer);
    test_end();

    test_begin("code without a file: no names, nothing said");
    static const char *const paths[] = {
        "", "[vdso]", "[heap]", "linux-vdso.so.1", "/memfd:doublemapper (deleted)",
    };
    symbolizer = test_symbolizer(NULL, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        test_expect(symbolizer, test_path_module(paths[i]), 0x1000, expected_nothing, 1);
    }
    symbolizer_free(symbolizer);
    if (test_problems != 0) {
        test_fail("a problem was told: %s", test_problem);
    }
    test_end();

    test_begin("a deleted file whose place is taken: the build-id decides");
    module = test_module("full.so");
    char path[sizeof test_directory + 32];
    snprintf(path, sizeof path, "%s/full.so (deleted)", test_directory);
    struct capture_module *deleted = test_path_module(path);
    uint64_t mark = test_address("full.so", "mark");
    symbolizer = test_symbolizer(NULL, NULL);
    test_expect(symbolizer, deleted, mark, expected_nothing, 1);
    deleted = test_path_module(path);
    memcpy(deleted->build_id, module->build_id, sizeof deleted->build_id);
    deleted->build_id_size = module->build_id_size;
    test_expect(symbolizer, deleted, mark, expected_inlined, 3);
    symbolizer_free(symbolizer);
    test_end();
}

static void test_broken_files(void)
{
    test_begin("truncated files: no names, and said once for each");
    uint64_t mark = test_address("full.so", "mark");
    unsigned files = 0;
    struct symbolizer *symbolizer = test_symbolizer(NULL, NULL);
    for (unsigned percent = 0; percent < 100; percent += 3) {
        if (!test_run("size=$(wc -c < full.so) && head -c $((size * %u / 100)) full.so > cut%u.so",
                      percent, percent)) {
            continue;
        }
        char path[sizeof test_directory + 32];
        snprintf(path, sizeof path, "%s/cut%u.so", test_directory, percent);
        struct capture_module *module = test_path_module(path);
        test_expect(symbolizer, module, mark, expected_nothing, 1);
        test_expect(symbolizer, module, mark + 1, expected_nothing, 1);
        files++;
    }
    symbolizer_free(symbolizer);
    if (test_problems != files || strstr(test_problem, "is no readable ELF file") == NULL) {
        test_fail("%u problems with %u files: %s", test_problems, files, test_problem);
    }
    test_end();

    test_begin("overwritten debug sections: any answer, but an answer");
    symbolizer = test_symbolizer(NULL, NULL);
    static const char *const sections[] = {"info", "abbrev", "line", "str", "rnglists"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (test_run("objcopy --dump-section .debug_%s=s full.so /dev/null && "
                     "tr '\\001-\\077' '\\002-\\100' < s > t && "
                     "objcopy --update-section .debug_%s=t full.so bad%zu.so",
                     sections[i], sections[i], i)) {
            char path[sizeof test_directory + 32];
            snprintf(path, sizeof path, "%s/bad%zu.so", test_directory, i);
            struct capture_module *module = test_path_module(path);
            for (uint64_t address = 0x1000; address < 0x1400; address++) {
                if (symbolizer_lookup(symbolizer, module, address)->count < 1) {
                    test_fail("no frame for '%s' at %#lx", path, (unsigned long)address);
                }
            }
        }
    }
    symbolizer_free(symbolizer);
    test_end();
}

void test_files(void)
{
    test_debuglink();
    test_build_id_path();
    test_wrong_files();
    test_broken_files();
}

/*
 * Whose code is it? The one place that knows what belongs to allocators, to the C library and to
 * the standard libraries of C++ and Rust, so that a block can be charged to the line that a user
 * can change.
 *
 * The user's own code without a line ranks before a library's line: a Rust program built without
 * debug information carries the line tables of its standard library, and raw_vec.rs explains
 * nobody's memory. Neither do xmalloc, g_malloc, PyMem_Malloc and their like: they are known by the
 * ends of their names, and their callers are charged.
 */
#include "tools/model/model.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Beginnings of file names of objects that hold allocators or the C and C++ run-time. */
static const char *const runtime_objects[] = {
    "libtracesnap.so", "libc.so",     "libc-2.",      "ld-linux",      "ld-2.",
    "ld.so",           "ld-musl-",    "libc.musl-",   "libpthread.so", "libpthread-2.",
    "libdl.so",        "libdl-2.",    "libstdc++.so", "libc++.so",     "libc++abi.so",
    "libgcc_s.so",     "libjemalloc", "libtcmalloc",  "libmimalloc",   "linux-vdso",
};

/* Functions that allocate for others, or that start programs, wherever they are linked in. */
static const char *const runtime_functions[] = {
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "posix_memalign",
    "aligned_alloc",
    "memalign",
    "valloc",
    "pvalloc",
    "__libc_malloc",
    "__libc_calloc",
    "__libc_realloc",
    "__libc_memalign",
    "_start",
    "__libc_start_main",
    "__rust_alloc",
    "__rust_alloc_zeroed",
    "__rust_realloc",
    "__rdl_alloc",
    "__rdl_alloc_zeroed",
    "__rdl_realloc",
    "__rg_alloc",
    "__rg_alloc_zeroed",
    "__rg_realloc",
};

static const char *const runtime_function_beginnings[] = {
    "operator new", "operator delete", "je_",      "mi_malloc",  "mi_calloc",
    "mi_realloc",   "mi_zalloc",       "mi_heap_", "mi_new",     "tc_malloc",
    "tc_calloc",    "tc_realloc",      "tc_new",   "tcmalloc::",
};

/* Ends of names of functions that allocate for their callers: xmalloc, g_malloc0, Perl_safesysrealloc. */
static const char *const wrapper_endings[] = {
    "malloc", "calloc", "realloc", "reallocarray", "memalign", "zalloc", "strdup", "strndup", "memdup",
};

/* glibc's own sources, as its debug information names them. */
static const char *const runtime_paths[] = {
    "./malloc/malloc.c",
    "./malloc/arena.c",
    "./malloc/./malloc/",
    "../sysdeps/",
    "./csu/",
    "../csu/",
    "/sysdeps/x86_64/start.S",
    "/glibc-",
};

/* Parts of paths of the C and C++ libraries' headers and sources and of Rust's standard library. */
static const char *const library_paths[] = {
    "/include/c++/",  "/c++/v1/",          "/usr/lib/gcc/", "/usr/lib64/gcc/",
    "/libstdc++-v3/", "/lib/rustlib/src/", "/rust/deps/",
};

static const char *const library_path_beginnings[] = {"/usr/include/", "/rustc/"};

/* CPython's own functions, wherever they are linked in. */
static const char *const interpreter_function_beginnings[] = {
    "PyEval_",      "_PyEval_", "PyObject_", "_PyObject_", "PyVectorcall_", "_PyVectorcall_",
    "_PyFunction_", "PyRun_",   "_PyRun_",   "Py_RunMain", "Py_BytesMain",  "PyImport_",
};

#define EACH(i, table)                        \
    size_t i = 0;                             \
    (i) < sizeof(table) / sizeof((table)[0]); \
    (i)++

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_runtime_object(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (EACH(i, runtime_objects))
        if (begins(name, runtime_objects[i]))
            return true;
    return false;
}

static bool is_runtime_function(const char *name)
{
    for (EACH(i, runtime_functions))
        if (strcmp(name, runtime_functions[i]) == 0)
            return true;
    for (EACH(i, runtime_function_beginnings))
        if (begins(name, runtime_function_beginnings[i]))
            return true;
    return false;
}

static bool is_runtime_path(const char *path)
{
    for (EACH(i, runtime_paths))
        if (runtime_paths[i][0] == '/' ? strstr(path, runtime_paths[i]) != NULL
                                       : begins(path, runtime_paths[i]))
            return true;
    return false;
}

static bool is_library_path(const char *path)
{
    for (EACH(i, library_paths))
        if (strstr(path, library_paths[i]) != NULL)
            return true;
    for (EACH(i, library_path_beginnings))
        if (begins(path, library_path_beginnings[i]))
            return true;
    return false;
}

/*
 * Behind the bracket that belongs to the opening one at `at`; the end of the text if there is none.
 */
static const char *skip_brackets(const char *at)
{
    int depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '<' || *at == '(' || *at == '[' || *at == '{')
            depth++;
        else if ((*at == '>' && at[-1] != '-') || *at == ')' || *at == ']' || *at == '}')
            depth--;
        if (depth == 0)
            return at + 1;
    }
    return at;
}

/*
 * Where the function's own name begins: demangled templates carry their return type in front
 * ("void std::sort<int*>(int*, int*)"), which ends at a blank outside of all brackets.
 */
static const char *name_begin(const char *function)
{
    const char *begin = function, *at = function;
    while (*at != '\0') {
        if (begins(at, "operator"))
            break;
        if (*at == '(' && !begins(at, "(anonymous") &&
            !(at - function >= 8 && begins(at - 8, "decltype")))
            break; /* the parameters */
        if (*at == '<' || *at == '(' || *at == '[' || *at == '{') {
            at = skip_brackets(at);
            continue;
        }
        if (*at++ == ' ' && *at != '[' && *at != '(')
            begin = at;
    }
    return begin;
}

/* Rust: "core::fmt::write", "<alloc::string::String as core::fmt::Write>::write_str". */
static bool is_rust_library(const char *name)
{
    name += strspn(name, "<&*[(");
    if (begins(name, "mut "))
        name += 4;
    if (begins(name, "dyn "))
        name += 4;
    return begins(name, "alloc::") || begins(name, "core::") || begins(name, "std::");
}

static bool ends(const char *text, const char *with)
{
    size_t length = strlen(text), tail = strlen(with);
    return length >= tail && strcmp(text + length - tail, with) == 0;
}

static bool is_library_function(const char *function, const char *file)
{
    const char *name = name_begin(function);
    if (begins(name, "std::") || begins(name, "__gnu_cxx::") || begins(name, "__cxxabiv1::"))
        return true;
    /* A C++ program may have a namespace core of its own; Rust's names have no parameter list. */
    bool rust = file != NULL ? ends(file, ".rs") : strchr(name, '(') == NULL;
    return rust && is_rust_library(function);
}

/* What a wrapper's name may have after that: malloc64, zmalloc_usable, g_malloc_n. */
static const char *const wrapper_suffixes[] = {"_usable", "_num", "_n", "_array", "_internal"};

static bool ends_at(const char *name, size_t length, const char *with)
{
    size_t tail = strlen(with);
    return length >= tail && strncasecmp(name + length - tail, with, tail) == 0;
}

static bool is_wrapper(const char *name)
{
    size_t length = strcspn(name, "(.@"); /* without parameters and clone suffixes (".part.0") */
    while (length > 0 && (isdigit((unsigned char)name[length - 1]) || name[length - 1] == '_'))
        length--;
    for (EACH(i, wrapper_suffixes))
        if (ends_at(name, length, wrapper_suffixes[i]))
            length -= strlen(wrapper_suffixes[i]);
    for (EACH(i, wrapper_endings))
        if (ends_at(name, length, wrapper_endings[i]))
            return true;
    return false;
}

enum merit user_code_merit(const struct report_frame *frame)
{
    const char *function = frame->function, *file = frame->file;
    bool line = has_line(frame);
    if (frame->kind == KIND_PYTHON)
        return MERIT_USER;
    if (frame->object == NULL && !line)
        return MERIT_OTHER;
    if ((frame->object != NULL && is_runtime_object(frame->object)) ||
        (function != NULL && is_runtime_function(name_begin(function))) ||
        (file != NULL && is_runtime_path(file)))
        return MERIT_ALLOCATOR;
    if ((file != NULL && is_library_path(file)) ||
        (function != NULL && is_library_function(function, file)))
        return line ? MERIT_LIBRARY : MERIT_OTHER;
    if (function != NULL && is_wrapper(name_begin(function)))
        return MERIT_WRAPPER;
    return line ? MERIT_USER : MERIT_USER_NO_LINE;
}

/* "python", "python3.11", "libpython3.11.so.1.0"; but "python-config-server" is somebody's program. */
static bool is_interpreter_object(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    if (begins(name, "libpython"))
        return true;
    if (!begins(name, "python"))
        return false;
    name += strlen("python");
    return name[strspn(name, "0123456789.dmtu")] == '\0';
}

bool user_code_is_interpreter(const struct report_frame *frame)
{
    if (frame->kind == KIND_PYTHON)
        return false;
    if (frame->object != NULL && is_interpreter_object(frame->object))
        return true;
    for (EACH(i, interpreter_function_beginnings))
        if (frame->function != NULL && begins(frame->function, interpreter_function_beginnings[i]))
            return true;
    return false;
}

/*
 * Which file explains a module, and what to say when none does.
 */
#include "tools/symbol/module.h"

#include "tools/base/strpool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DELETED " (deleted)"

bool module_is(const struct module *module, const struct capture_module *traced)
{
    const struct capture_module *own = module->traced;
    return own == traced ||
           (strcmp(own->path, traced->path) == 0 && own->build_id_size == traced->build_id_size &&
            memcmp(own->build_id, traced->build_id, own->build_id_size) == 0);
}

static struct build_id traced_id(const struct capture_module *traced)
{
    return (struct build_id){.bytes = traced->build_id, .size = traced->build_id_size};
}

/*
 * The kernel's and the loader's names for code that no file holds: "", "[vdso]", "linux-vdso.so.1".
 */
static bool has_no_file(const char *path)
{
    return path[0] == '[' || strchr(path, '/') == NULL || strncmp(path, "/memfd:", 7) == 0;
}

/* A build-id proves a file; where the traced module has none, its path must do. */
static bool is_traced(const struct elf_file *file, const struct capture_module *traced)
{
    return traced->build_id_size == 0 || build_id_equal(file->id, traced_id(traced));
}

/* Why there is no file: an errno, or that it is another one. ESTALE stands for the latter. */
static struct elf_file *open_traced(const struct module *module, const char *root,
                                    const char *path, int *cause)
{
    struct elf_file *file = debugfile_open_at(root, path);
    if (file == NULL) {
        *cause = errno;
    } else if (!is_traced(file, module->traced)) {
        *cause = ESTALE;
        elf_file_close(file);
        file = NULL;
    }
    return file;
}

static void warn(struct module *module, const struct module_shared *shared, int cause)
{
    char text[PATH_MAX + 256];
    const char *path = module->traced->path;
    if (module->has_warned || shared->problem == NULL) {
        return;
    }
    module->has_warned = true;
    if (cause == ESTALE) {
        snprintf(text, sizeof text,
                 "'%s' has another build-id than the traced one: symbols left out; "
                 "keep the old file and use --sysroot",
                 path);
    } else if (cause == ENOEXEC) {
        snprintf(text, sizeof text,
                 "'%s' is no readable ELF file: symbols left out; "
                 "reinstall it, or use --sysroot with a good copy",
                 path);
    } else {
        snprintf(text, sizeof text,
                 "'%s' cannot be opened (%s): symbols left out; "
                 "use --sysroot with a directory that holds it",
                 path, strerror(cause));
    }
    shared->problem(shared->problem_context, text);
}

/*
 * The path to look for. A deleted file may have been replaced: only a build-id tells whether what
 * has its name now is what was traced.
 */
static bool path_on_disk(const struct capture_module *traced, char path[PATH_MAX])
{
    size_t length = strlen(traced->path), suffix = strlen(DELETED);
    if (length >= PATH_MAX) {
        return false;
    }
    memcpy(path, traced->path, length + 1);
    if (length > suffix && strcmp(path + length - suffix, DELETED) == 0) {
        path[length - suffix] = '\0';
        return traced->build_id_size != 0;
    }
    return true;
}

static void find_files(struct module *module, struct module_shared *shared)
{
    char path[PATH_MAX];
    struct debug_search *search = &shared->search;
    if (!path_on_disk(module->traced, path)) {
        return;
    }
    const char *root = search->process_root;
    int cause = ENOENT;
    /* A relative path means nothing without the directory that the process had. */
    if (path[0] == '/') {
        if (root != NULL) {
            module->file = open_traced(module, root, path, &cause);
        }
        if (module->file == NULL) {
            int sysroot_cause = ENOENT;
            root = search->sysroot;
            module->file = open_traced(module, root, path, &sysroot_cause);
            cause = cause == ENOENT || sysroot_cause == ESTALE ? sysroot_cause : cause;
        }
    }
    if (module->file == NULL) {
        /* The debug file alone will do: its build-id proves it. */
        module->debug = debugfile_by_id(search, traced_id(module->traced));
        if (module->debug == NULL) {
            warn(module, shared, cause);
        }
    } else if (!elf_file_has_dwarf(module->file)) {
        module->debug = debugfile_find(search, module->file, root, path);
    }
}

void module_open(struct module *module, struct module_shared *shared)
{
    if (module->is_open) {
        return;
    }
    module->is_open = true;
    if (has_no_file(module->traced->path)) {
        return;
    }
    find_files(module, shared);
    const struct elf_file *best = module->debug != NULL ? module->debug : module->file;
    module->has_dwarf = shared->debuginfo && best != NULL && elf_file_has_dwarf(best);
}

void module_close(struct module *module)
{
    dwarf_info_close(module->dwarf);
    symtab_free(module->symtab);
    elf_file_close(module->debug);
    elf_file_close(module->file);
    module->dwarf = NULL;
    module->symtab = NULL;
    module->debug = module->file = NULL;
    module->is_open = module->has_dwarf = false;
}

/* The name that the symbol table gives to the code at an offset; NULL = none. */
static const char *symbol_name(struct module *module, struct module_shared *shared,
                               uint64_t offset, bool *mangled)
{
    size_t length;
    if (module->symtab == NULL) {
        module->symtab = symtab_load(module->file, module->debug);
    }
    const char *symbol = symtab_find(module->symtab, offset, &length);
    if (symbol == NULL) {
        return NULL;
    }
    symbol = strpool_intern_part(shared->names.pool, symbol, length);
    const char *name = names_function(&shared->names, symbol);
    *mangled = name != symbol;
    return name;
}

/*
 * DWARF goes first, since it knows a function also by the parts that the compiler moved away
 * ("f.cold"). But for functions that are local to a C++ unit it may lack the linkage name, and the
 * symbol table has it.
 */
static void complete_name(struct module *module, struct module_shared *shared, uint64_t offset,
                          struct symbol_frame *function)
{
    bool mangled = false;
    const char *name = symbol_name(module, shared, offset, &mangled);
    if (name != NULL && (function->function == NULL || mangled)) {
        function->function = name;
    }
}

size_t module_lookup(struct module *module, struct module_shared *shared, uint64_t offset,
                     struct symbol_frame *frames, size_t size)
{
    if (module->file == NULL && module->debug == NULL) {
        return 0;
    }
    if (module->has_dwarf && module->dwarf == NULL) {
        const struct elf_file *code = module->file != NULL ? module->file : module->debug;
        module->dwarf = dwarf_info_open(module->debug != NULL ? module->debug : module->file,
                                        elf_file_code(code), &shared->search, &shared->names,
                                        &shared->cache);
    }
    bool incomplete = true;
    size_t count = 0;
    if (module->dwarf != NULL) {
        count = dwarf_info_lookup(module->dwarf, offset, frames, size, &incomplete);
    }
    if (count == 0) {
        frames[0] = (struct symbol_frame){0};
        count = 1;
    }
    struct symbol_frame *function = &frames[count - 1];
    if (incomplete) {
        complete_name(module, shared, offset, function);
    }
    bool known = count > 1 || function->function != NULL || function->file != NULL;
    return known ? count : 0;
}

/*
 * The symbolizer: its modules, the results it keeps, and how many modules are open at a time.
 */
#include "tools/symbol/symbol.h"

#include "region/hash.h"
#include "tools/base/hash_map.h"
#include "tools/base/strpool.h"
#include "tools/symbol/module.h"

#include <stdlib.h>
#include <string.h>

/* Up to three files each: below the usual limit of 1024 descriptors. */
#define OPEN_MODULES_MAX 128u
/* More than compilers inline; what is deeper is damaged. */
#define FRAMES_MAX 256u

struct symbolizer {
    struct module_shared shared;
    char *sysroot, *process_root;
    struct hash_map modules;    /* hash of path and build-id -> struct module, chained */
    struct hash_map by_address; /* struct capture_module -> struct module: the short way */
    struct module *newest, *oldest;
    size_t open_count;
    struct symbol_result nothing;
    struct symbol_frame no_frame;
    struct symbol_frame frames[FRAMES_MAX];
};

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(memory_resize(NULL, size, 1), text, size);
}

struct symbolizer *symbolizer_new(const struct symbol_options *options)
{
    struct symbolizer *symbolizer = memory_resize(NULL, 1, sizeof *symbolizer);
    memset(symbolizer, 0, sizeof *symbolizer);
    symbolizer->sysroot = copy(options->sysroot != NULL ? options->sysroot : "");
    if (options->process_root != NULL) {
        symbolizer->process_root = copy(options->process_root);
    }
    symbolizer->shared = (struct module_shared){
        .search = {.process_root = symbolizer->process_root,
                   .sysroot = symbolizer->sysroot,
                   .online = options->debuginfo},
        .debuginfo = options->debuginfo,
        .names = {.pool = strpool_new()},
        .problem = options->problem,
        .problem_context = options->problem_context,
    };
    symbolizer->nothing = (struct symbol_result){.count = 1, .frames = &symbolizer->no_frame};
    return symbolizer;
}

void symbolizer_free(struct symbolizer *symbolizer)
{
    if (symbolizer == NULL) {
        return;
    }
    for (size_t i = 0; i < symbolizer->modules.capacity; i++) {
        struct module *module = symbolizer->modules.entries[i].value;
        for (; module != NULL; module = module->same_hash) {
            module_close(module);
            hash_map_clear(&module->results);
        }
    }
    hash_map_clear(&symbolizer->modules);
    hash_map_clear(&symbolizer->by_address);
    hash_map_clear(&symbolizer->shared.names.demangled);
    strpool_free(symbolizer->shared.names.pool);
    free(symbolizer->sysroot);
    free(symbolizer->process_root);
    free(symbolizer);
}

static struct module *find_module(struct symbolizer *symbolizer,
                                  const struct capture_module *traced)
{
    struct module *module = hash_map_get(&symbolizer->by_address, (uintptr_t)traced);
    if (module != NULL) {
        return module;
    }
    struct strpool *pool = symbolizer->shared.names.pool;
    uint64_t hash = ts_hash_mix((uintptr_t)strpool_intern(pool, traced->path));
    for (uint32_t i = 0; i < traced->build_id_size; i++) {
        hash = ts_hash_step(hash, traced->build_id[i]);
    }
    struct module *first = hash_map_get(&symbolizer->modules, hash);
    for (module = first; module != NULL; module = module->same_hash) {
        if (module_is(module, traced)) {
            break;
        }
    }
    if (module == NULL) {
        module = strpool_alloc(pool, sizeof *module);
        module->traced = traced;
        module->same_hash = first;
        hash_map_put(&symbolizer->modules, hash, module);
    }
    hash_map_put(&symbolizer->by_address, (uintptr_t)traced, module);
    return module;
}

static void unlink_module(struct symbolizer *symbolizer, struct module *module)
{
    *(module->newer != NULL ? &module->newer->older : &symbolizer->newest) = module->older;
    *(module->older != NULL ? &module->older->newer : &symbolizer->oldest) = module->newer;
    symbolizer->open_count--;
}

/* Opens the module, or notes that it was used; closes the one that was not for the longest time. */
static void use_module(struct symbolizer *symbolizer, struct module *module)
{
    if (module->is_open) {
        unlink_module(symbolizer, module);
    } else if (symbolizer->open_count >= OPEN_MODULES_MAX) {
        struct module *oldest = symbolizer->oldest;
        unlink_module(symbolizer, oldest);
        module_close(oldest);
    }
    module->newer = NULL;
    module->older = symbolizer->newest;
    *(module->older != NULL ? &module->older->newer : &symbolizer->oldest) = module;
    symbolizer->newest = module;
    symbolizer->open_count++;
    module_open(module, &symbolizer->shared);
}

const struct symbol_result *symbolizer_lookup(struct symbolizer *symbolizer,
                                              const struct capture_module *module, uint64_t offset)
{
    struct module *own = find_module(symbolizer, module);
    struct symbol_result *result = hash_map_get(&own->results, offset);
    if (result != NULL) {
        return result;
    }
    use_module(symbolizer, own);
    size_t count =
        module_lookup(own, &symbolizer->shared, offset, symbolizer->frames, FRAMES_MAX);
    result = &symbolizer->nothing;
    if (count != 0) {
        struct strpool *pool = symbolizer->shared.names.pool;
        result = strpool_alloc(pool, sizeof *result + count * sizeof(struct symbol_frame));
        struct symbol_frame *frames = (struct symbol_frame *)(result + 1);
        memcpy(frames, symbolizer->frames, count * sizeof *frames);
        *result = (struct symbol_result){.count = count, .frames = frames};
    }
    hash_map_put(&own->results, offset, result);
    return result;
}

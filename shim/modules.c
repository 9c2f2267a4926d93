/*
 * The modules of the process. A module is recorded once with path, build-id and load bias; it stays
 * in the region when it is unloaded, since contexts refer to it. Loaded again with the same
 * build-id, path and bias, it is the same module.
 */
#include "shim/modules.h"
#include "region/key.h"
#include "shim/region.h"
#include "shim/rules.h"
#include "shim/strings.h"
#include "shim/system.h"
#include "shim/text.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

struct module_instance module_instances[MODULE_INSTANCES_MAX];
uint64_t module_key_base[MODULE_INSTANCES_MAX];
uint32_t module_generation = 1;
static uint32_t instance_count = 1;
#define RULES_FORGET_EVERY 16384u

static uint32_t closings;

/* glibc 2.35 and later; without it every stack is libunwind's. */
extern int _dl_find_object(void *, struct dl_find_object *) __attribute__((weak));

struct image {
    uint64_t bias, size;
    uintptr_t start, end; /* of the segment that was asked for, where segments do not adjoin */
    struct cfi_tables tables;
    const char *path; /* as the loader has it: "" = the program itself */
    const uint8_t *build_id;
    uint32_t build_id_size;
    bool fleeting;
};

/* More than any linker makes; what a file says to have may be any number. */
#define HEADERS_MAX 256u
#define NOTES_MAX 16384u

/*
 * Whether all of [from, from + size) can be read: each page is tried, but not the first one of all,
 * whose address means to the kernel that there is none.
 */
static bool readable(uintptr_t from, size_t size)
{
    if (size == 0 || from < 4096 || size > UINTPTR_MAX - from)
        return size == 0;
    for (uintptr_t page = from & ~(uintptr_t)4095; page < from + size; page += 4096)
        if (!sys_readable(page))
            return false;
    return true;
}

/*
 * Whether the loader mapped it for this module, as far as it says. What headers promise may lie
 * anywhere, in memory of others that goes at any moment. Of the program itself, whose segments need
 * not adjoin, only the kernel knows.
 */
static bool in_module(const struct image *image, uintptr_t from, size_t size)
{
    return *image->path == '\0' || (from >= image->start && from <= image->end &&
                                    size <= image->end - from);
}

static void find_build_id(struct image *image, const uint8_t *note, size_t size)
{
    const uint8_t *end = note + (size < NOTES_MAX ? size : NOTES_MAX);
    if (!in_module(image, (uintptr_t)note, size) ||
        !readable((uintptr_t)note, (size_t)(end - note)))
        return;
    while ((size_t)(end - note) >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) header;
        __builtin_memcpy(&header, note, sizeof header);
        uint64_t name_size = ((uint64_t)header.n_namesz + 3) & ~UINT64_C(3);
        uint64_t desc_size = ((uint64_t)header.n_descsz + 3) & ~UINT64_C(3);
        note += sizeof header;
        if (name_size + desc_size > (uint64_t)(end - note))
            return;
        if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 && note[0] == 'G' &&
            header.n_descsz <= TS_BUILD_ID_MAX) {
            image->build_id = note + name_size;
            image->build_id_size = header.n_descsz;
            return;
        }
        note += name_size + desc_size;
    }
}

/*
 * The program headers: of the program itself the kernel told where they are; of a library they
 * follow the ELF header at the start of its first segment. NULL when they are not where every
 * linker puts them. The loader has read the file and not this memory, which may hold anything: an
 * odd linker's work, or what a program has written there since.
 */
static const ElfW(Phdr) * find_headers(const struct image *image, size_t *count)
{
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    *count = getauxval(AT_PHNUM);
    if (*image->path != '\0') {
        const ElfW(Ehdr) *elf = (const void *)image->start;
        if (((uintptr_t)elf & 7) || !readable((uintptr_t)elf, sizeof *elf) ||
            __builtin_memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 || elf->e_phoff > 4096 - 56 ||
            (elf->e_phoff & 7))
            return NULL;
        headers = (const void *)(image->start + elf->e_phoff);
        *count = elf->e_phnum;
    }
    return *count <= HEADERS_MAX && readable((uintptr_t)headers, *count * sizeof *headers) ? headers
                                                                                           : NULL;
}

static bool within(const ElfW(Phdr) * segment, uint64_t from, uint64_t size)
{
    return segment->p_type == PT_LOAD && (segment->p_flags & PF_R) && from >= segment->p_vaddr &&
           from - segment->p_vaddr < segment->p_filesz &&
           size <= segment->p_filesz - (from - segment->p_vaddr);
}

/* Behind what the loader maps for a segment; its sizes may be any numbers. */
static uint64_t end_of(const ElfW(Phdr) * segment)
{
    uint64_t size = segment->p_memsz > segment->p_filesz ? segment->p_memsz : segment->p_filesz;
    return size < UINT64_MAX - segment->p_vaddr ? segment->p_vaddr + size : UINT64_MAX;
}

/* Whether two segments have a page in common: the later one was mapped over the other. */
static bool overlap(const ElfW(Phdr) * a, const ElfW(Phdr) * b)
{
    return a->p_type == PT_LOAD && b->p_type == PT_LOAD &&
           (a->p_vaddr & ~UINT64_C(4095)) < end_of(b) && (b->p_vaddr & ~UINT64_C(4095)) < end_of(a);
}

/*
 * The bounds of the unwind tables: of the segment that holds them. A file may promise more of it
 * than it has, and what lies behind a file's end cannot be read; and another segment may lie on top
 * of it. If neither is so, all of it can be read, since the loader mapped it in one piece. To try
 * each page would read the whole of it from the disk.
 */
static void find_tables(struct image *image, const ElfW(Phdr) * headers, size_t count, size_t which)
{
    const ElfW(Phdr) *segment = &headers[which];
    uintptr_t low = image->bias + segment->p_vaddr, high = low + segment->p_filesz;
    if (high <= low || !in_module(image, low, segment->p_filesz) ||
        !readable((uintptr_t)image->tables.header, 4) || !readable(high - 1, 1))
        return;
    for (size_t i = 0; i < count; i++)
        if (i != which && overlap(segment, &headers[i]))
            return;
    image->tables.low = (const uint8_t *)low;
    image->tables.high = (const uint8_t *)high;
}

/* Of this module, and not of another file that was mapped where its own headers should be. */
static bool are_own(const struct image *image, const ElfW(Phdr) * headers, size_t count)
{
    if (*image->path == '\0')
        return true;
    for (size_t i = 0; i < count; i++)
        if (headers[i].p_type == PT_LOAD)
            return image->bias + (headers[i].p_vaddr & ~UINT64_C(4095)) == image->start;
    return false;
}

/* Finds size, build-id and the bounds of the unwind tables; reads nothing that was not tried. */
static void read_headers(struct image *image)
{
    size_t count = 0;
    const ElfW(Phdr) *headers = find_headers(image, &count);
    uint64_t tables = (uintptr_t)image->tables.header - image->bias, low = UINT64_MAX, high = 0;
    if (headers == NULL || !are_own(image, headers, count))
        return;
    for (size_t i = 0; i < count; i++) {
        const ElfW(Phdr) *segment = &headers[i];
        bool load = segment->p_type == PT_LOAD && end_of(segment) != UINT64_MAX;
        if (load && segment->p_vaddr < low)
            low = segment->p_vaddr;
        if (load && segment->p_vaddr + segment->p_memsz > high)
            high = segment->p_vaddr + segment->p_memsz;
        if (within(segment, tables, 4))
            find_tables(image, headers, count, i);
        for (size_t j = 0; segment->p_type == PT_NOTE && j < count && image->build_id_size == 0;
             j++)
            if (within(&headers[j], segment->p_vaddr, segment->p_filesz))
                find_build_id(image, (const uint8_t *)(image->bias + segment->p_vaddr),
                              segment->p_filesz);
    }
    if (high > low)
        image->size = high - low;
}

/* The path as another process can use it: the loader keeps "" for the program and relative names as
 * given. */
static void absolute_path(struct text *path, const char *name)
{
    if (*name == '\0') {
        text_add(path, region_header->process.exe);
        return;
    }
    if (*name != '/' && __builtin_strncmp(name, "linux-", 6) != 0 &&
        !sys_failed(sys_getcwd(path->buffer, path->size - 2))) {
        path->length = text_length(path->buffer);
        text_add(path, "/");
    }
    text_add(path, name);
}

/* iconv's modules, and what they need: libc opens and closes them by functions of its own, not by
 * dlclose. */
static bool is_fleeting(const char *path)
{
    for (; *path != '\0'; path++)
        if (__builtin_strncmp(path, "/gconv/", 7) == 0)
            return true;
    return false;
}

static struct ts_module *module_record(uint32_t i)
{
    return region_record(TS_SLAB_MODULES, i, TS_MODULES_PER_SLAB, sizeof(struct ts_module));
}

static bool same_module(const struct ts_module *module, const struct image *image,
                        const struct text *path)
{
    if (ts_load_acquire(&module->state) != 1 || module->base != image->bias ||
        module->build_id_size != image->build_id_size || module->path_size != path->length ||
        __builtin_memcmp(module->build_id, image->build_id, image->build_id_size) != 0)
        return false;
    const char *slab = region_slab(TS_SLAB_STRINGS, module->path_slab);
    return slab != NULL &&
           __builtin_memcmp(slab + module->path_offset, path->buffer, path->length) == 0;
}

static bool record_path(const struct image *image, const struct text *path, uint32_t *number)
{
    uint32_t count = ts_load_acquire(&region_header->module_count);
    for (uint32_t i = 0; i < count && i < TS_MODULES_LIMIT; i++) {
        struct ts_module *module = module_record(i);
        if (module != NULL && same_module(module, image, path)) {
            *number = i;
            return true;
        }
    }
    *number = ts_add_acq_rel(&region_header->module_count, 1);
    struct ts_module *module = *number < TS_MODULES_LIMIT ? module_record(*number) : NULL;
    if (module == NULL || !strings_add(path->buffer, (uint32_t)path->length, &module->path_slab,
                                       &module->path_offset)) {
        region_drop(TS_DROP_MODULES_FULL);
        return false;
    }
    module->path_size = (uint32_t)path->length;
    module->base = image->bias;
    module->size = image->size;
    module->build_id_size = image->build_id_size;
    __builtin_memcpy(module->build_id, image->build_id, image->build_id_size);
    ts_store_release(&module->state, 1);
    return true;
}

/* The module's number in the region, 0-based; false when the table is full. */
static bool record_module(const struct image *image, uint32_t *number)
{
    char *buffer =
        memory_map(TS_STRING_MAX, true); /* the stack may be a signal handler's few KiB */
    if (buffer == NULL)
        return false;
    struct text path = text_in(buffer, TS_STRING_MAX);
    absolute_path(&path, image->path);
    bool recorded = record_path(image, &path, number);
    memory_unmap(buffer, TS_STRING_MAX);
    return recorded;
}

static uint32_t add_instance(const struct image *image, uint64_t key_base, uint32_t generation)
{
    uint32_t count = ts_load_acquire(&instance_count);
    uint32_t index = 0;
    for (uint32_t i = 1; i < count && i < MODULE_INSTANCES_MAX && index == 0; i++)
        if (module_instances[i].start == image->start && module_instances[i].key_base == key_base)
            index = i; /* the same module, asked anew after some dlclose */
    if (index == 0 && count < MODULE_INSTANCES_MAX)
        index = ts_add_acq_rel(&instance_count, 1);
    if (index == 0 || index >= MODULE_INSTANCES_MAX) {
        region_drop(TS_DROP_MODULES_FULL);
        return 0;
    }
    struct module_instance *instance = &module_instances[index];
    instance->key_base = key_base;
    ts_store_relaxed(&module_key_base[index], key_base);
    instance->start = image->start;
    instance->end = image->end;
    instance->tables = image->tables;
    instance->fleeting = image->fleeting;
    ts_store_release(&instance->generation, generation);
    return index;
}

bool modules_same(uintptr_t a, uintptr_t b)
{
    struct dl_find_object found;
    if (_dl_find_object == NULL || _dl_find_object((void *)a, &found) != 0)
        return true;
    return b - (uintptr_t)found.dlfo_map_start <
           (uintptr_t)found.dlfo_map_end - (uintptr_t)found.dlfo_map_start;
}

bool modules_bounds(uintptr_t pc, uintptr_t *start, uintptr_t *end)
{
    struct dl_find_object found;
    if (_dl_find_object == NULL || _dl_find_object((void *)pc, &found) != 0)
        return false;
    *start = (uintptr_t)found.dlfo_map_start;
    *end = (uintptr_t)found.dlfo_map_end;
    return true;
}

uint32_t modules_count(void)
{
    return ts_load_acquire(&instance_count);
}

const struct link_map *modules_object(uint32_t index)
{
    struct dl_find_object found;
    const struct module_instance *instance = &module_instances[index];
    if (ts_load_acquire(&instance->generation) == 0 || instance->fleeting ||
        _dl_find_object((void *)instance->start, &found) != 0)
        return NULL;
    return found.dlfo_link_map;
}

uint32_t modules_find(uintptr_t pc)
{
    struct dl_find_object found;
    uint32_t generation = ts_load_acquire(&module_generation), number;
    if (_dl_find_object == NULL || _dl_find_object((void *)pc, &found) != 0)
        return 0;
    uint32_t count = ts_load_acquire(&instance_count);
    for (uint32_t i = 1; i < count && i < MODULE_INSTANCES_MAX; i++)
        if (ts_load_acquire(&module_instances[i].generation) == generation &&
            !module_instances[i].fleeting &&
            pc - module_instances[i].start < module_instances[i].end - module_instances[i].start)
            return i;
    struct image image = {
        .bias = found.dlfo_link_map->l_addr,
        .start = (uintptr_t)found.dlfo_map_start,
        .end = (uintptr_t)found.dlfo_map_end,
        .tables = {NULL, NULL, found.dlfo_eh_frame},
        .path = found.dlfo_link_map->l_name,
        .build_id = (const uint8_t *)"",
    };
    if (image.path == NULL)
        image.path = "";
    image.size = image.end - image.start;
    image.fleeting = is_fleeting(image.path);
    read_headers(&image);
    uint64_t key_high = record_module(&image, &number) ? ts_key(TS_FRAME_NATIVE, number, 0)
                                                       : ts_key(TS_FRAME_UNKNOWN, 0, 0);
    return add_instance(&image, key_high - image.bias, generation);
}

/* Rules remember 16 bits of it: forgets old ones long before the bits come round. Each value is
 * passed by one step of one thread. */
static void step_generation(void)
{
    if (ts_add_acq_rel(&module_generation, 1) % RULES_FORGET_EVERY == 0)
        rules_forget();
}

void modules_closing(struct thread *thread)
{
    thread->closing++;
    ts_add_acq_rel(&closings, 1);
    step_generation();
}

void modules_closed(struct thread *thread)
{
    step_generation();
    ts_add_acq_rel(&closings, -1u);
    thread->closing--;
}

void modules_forked(const struct thread *thread)
{
    closings = thread->closing;
    strings_forked();
}

bool modules_are_stable(void)
{
    return ts_load_acquire(&closings) == 0;
}

/*
 * Opening ELF files that may be missing, truncated or not ELF at all.
 */
#include "tools/symbol/elf_file.h"

#include "tools/base/strpool.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct elf_file *elf_file_open(const char *path)
{
    /* Non-blocking: a path from elsewhere may name a pipe here. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? NULL : elf_file_from_fd(fd, path);
}

static bool is_within(uint64_t offset, uint64_t size, uint64_t file_size)
{
    return offset <= file_size && size <= file_size - offset;
}

/*
 * All sections must lie within the file. libelf takes a file without the table of sections, which
 * stands at its end, for one that never had any: of a truncated file nobody would be told.
 */
static bool is_whole(Elf *elf)
{
    GElf_Ehdr header;
    size_t sections, size;
    if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL ||
        elf_getshdrnum(elf, &sections) != 0 || elf_rawfile(elf, &size) == NULL ||
        !is_within(header.e_shoff, (uint64_t)header.e_shnum * header.e_shentsize, size)) {
        return false;
    }
    for (size_t i = 1; i < sections; i++) {
        GElf_Shdr section;
        Elf_Scn *scn = elf_getscn(elf, i);
        if (scn == NULL || gelf_getshdr(scn, &section) == NULL) {
            return false;
        }
        bool in_file = section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL;
        if (in_file && !is_within(section.sh_offset, section.sh_size, size)) {
            return false;
        }
    }
    return true;
}

struct elf_file *elf_file_from_fd(int fd, const char *path)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        errno = ENOEXEC;
        return NULL;
    }
    elf_version(EV_CURRENT);
    struct elf_file *file = memory_resize(NULL, 1, sizeof *file);
    *file = (struct elf_file){.fd = fd};
    file->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (file->elf == NULL || !is_whole(file->elf)) {
        elf_file_close(file);
        errno = ENOEXEC;
        return NULL;
    }
    size_t length = strlen(path) + 1;
    file->path = memcpy(memory_resize(NULL, length, 1), path, length);
    const void *bytes;
    ssize_t size = dwelf_elf_gnu_build_id(file->elf, &bytes);
    if (size > 0) {
        file->id = (struct build_id){.bytes = bytes, .size = (size_t)size};
    }
    return file;
}

void elf_file_close(struct elf_file *file)
{
    if (file == NULL) {
        return;
    }
    elf_end(file->elf);
    close(file->fd);
    free(file->path);
    free(file);
}

bool build_id_equal(struct build_id a, struct build_id b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *header)
{
    size_t names;
    if (elf_getshdrstrndx(file->elf, &names) != 0) {
        return NULL;
    }
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(file->elf, scn)) != NULL;) {
        const char *its_name;
        if (gelf_getshdr(scn, header) != NULL &&
            (its_name = elf_strptr(file->elf, names, header->sh_name)) != NULL &&
            strcmp(its_name, name) == 0) {
            return scn;
        }
    }
    return NULL;
}

bool elf_file_has_dwarf(const struct elf_file *file)
{
    GElf_Shdr header;
    static const char *const names[] = {".debug_info", ".zdebug_info"};
    for (size_t i = 0; i < 2; i++) {
        if (elf_file_section(file, names[i], &header) != NULL && header.sh_type != SHT_NOBITS) {
            return true;
        }
    }
    return false;
}

static void extend(struct code_bounds *bounds, uint64_t start, uint64_t size)
{
    if (size != 0 && size <= UINT64_MAX - start) {
        bounds->low = start < bounds->low ? start : bounds->low;
        bounds->high = start + size > bounds->high ? start + size : bounds->high;
    }
}

/* Sections rather than segments: the one with the code may begin at 0, with the file's header. */
struct code_bounds elf_file_code(const struct elf_file *file)
{
    struct code_bounds bounds = {.low = UINT64_MAX, .high = 0};
    const GElf_Xword code = SHF_ALLOC | SHF_EXECINSTR;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(file->elf, scn)) != NULL;) {
        GElf_Shdr section;
        if (gelf_getshdr(scn, &section) != NULL && (section.sh_flags & code) == code) {
            extend(&bounds, section.sh_addr, section.sh_size);
        }
    }
    size_t segments = 0;
    if (bounds.high == 0) {
        elf_getphdrnum(file->elf, &segments);
    }
    for (size_t i = 0; i < segments; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(file->elf, (int)i, &segment) != NULL && segment.p_type == PT_LOAD &&
            (segment.p_flags & PF_X) != 0) {
            extend(&bounds, segment.p_vaddr, segment.p_memsz);
        }
    }
    return bounds.high != 0 ? bounds : (struct code_bounds){.low = 1, .high = UINT64_MAX};
}

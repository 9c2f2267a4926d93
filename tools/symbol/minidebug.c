/*
 * libdw inflates compressed ELF files, but only from a descriptor: the section goes through a
 * memory file.
 */
#include "tools/symbol/minidebug.h"

#include "tools/base/strpool.h"

#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size != 0) {
        ssize_t written = write(fd, bytes, size);
        if (written <= 0) {
            return false;
        }
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

struct elf_file *minidebug_open(const struct elf_file *file)
{
    GElf_Shdr header;
    Elf_Scn *scn = elf_file_section(file, ".gnu_debugdata", &header);
    Elf_Data *data = scn != NULL ? elf_rawdata(scn, NULL) : NULL;
    if (data == NULL || data->d_buf == NULL) {
        return NULL;
    }
    int fd = memfd_create("gnu_debugdata", MFD_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    Elf *elf = NULL;
    if (write_all(fd, data->d_buf, data->d_size) && lseek(fd, 0, SEEK_SET) == 0) {
        elf = dwelf_elf_begin(fd);
    }
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF) {
        elf_end(elf);
        close(fd);
        return NULL;
    }
    struct elf_file *inner = memory_resize(NULL, 1, sizeof *inner);
    *inner = (struct elf_file){.fd = fd, .elf = elf};
    return inner;
}

/*
 * An ELF file, open for reading: mapped, so that its pages stay reclaimable, and with its identity
 * known.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_ELF_FILE_H
#define TRACESNAP_TOOLS_SYMBOL_ELF_FILE_H

#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct build_id {
    const uint8_t *bytes;
    size_t size; /* 0 = none */
};

/* Where code lies, as ELF virtual addresses: whatever claims to be elsewhere was discarded. */
struct code_bounds {
    uint64_t low, high;
};

struct elf_file {
    int fd;
    Elf *elf;
    char *path;
    struct build_id id; /* points into the file */
};

/*
 * Opens a regular ELF file. NULL on failure with errno: ENOENT and the like as from open(2),
 * ENOEXEC where it is no usable ELF file.
 */
struct elf_file *elf_file_open(const char *path);

/* The same for a descriptor, which becomes the file's own, also on failure. */
struct elf_file *elf_file_from_fd(int fd, const char *path);

/* A NULL file is allowed. */
void elf_file_close(struct elf_file *file);

bool build_id_equal(struct build_id a, struct build_id b);

/* The section of that name, or NULL. */
Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *header);

/* .debug_info, or what older tools made of it when they compressed it. */
bool elf_file_has_dwarf(const struct elf_file *file);

/* From the first to behind the last executable address; everything where the file does not say. */
struct code_bounds elf_file_code(const struct elf_file *file);

#endif

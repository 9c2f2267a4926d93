/*
 * Reads a program's ELF file by libelf: who loads it, whose malloc it calls, what is known of its
 * lines.
 */
#include "tools/cmd/doctor_elf.h"

#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE
#endif

#define BUILD_ID_MAX 64

struct program {
    GElf_Ehdr header;
    char loader[PATH_MAX]; /* "" = none */
    bool dynamic, pie;     /* PT_DYNAMIC; DF_1_PIE */
    bool own_malloc, symbols, lines;
    uint8_t build_id[BUILD_ID_MAX];
    size_t build_id_size;
};

static void read_loader(Elf *elf, const GElf_Phdr *segment, struct program *program)
{
    size_t file_size;
    const char *file = elf_rawfile(elf, &file_size);
    size_t size = segment->p_filesz < sizeof(program->loader) ? segment->p_filesz
                                                              : sizeof(program->loader) - 1;
    if (file && segment->p_offset <= file_size && size <= file_size - segment->p_offset)
        memcpy(program->loader, file + segment->p_offset, size);
}

static void read_dynamic(Elf_Scn *section, const GElf_Shdr *header, struct program *program)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    GElf_Dyn entry;
    for (size_t i = 0; data && i < count && gelf_getdyn(data, (int)i, &entry); i++)
        if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE))
            program->pie = true;
}

/* A malloc that the program defines comes before every preloaded one. */
static void read_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                         struct program *program)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    GElf_Sym symbol;
    program->symbols |= header->sh_type == SHT_SYMTAB;
    for (size_t i = 0; data && i < count && gelf_getsym(data, (int)i, &symbol); i++) {
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name && strcmp(name, "malloc") == 0 && symbol.st_shndx != SHN_UNDEF &&
            GELF_ST_TYPE(symbol.st_info) == STT_FUNC && GELF_ST_BIND(symbol.st_info) != STB_LOCAL)
            program->own_malloc = true;
    }
}

static void read_notes(Elf_Scn *section, struct program *program)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Nhdr note;
    size_t name, description, next;
    for (size_t at = 0; data && (next = gelf_getnote(data, at, &note, &name, &description)) > 0;
         at = next)
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= BUILD_ID_MAX &&
            memcmp((char *)data->d_buf + name, "GNU", 4) == 0) {
            memcpy(program->build_id, (char *)data->d_buf + description, note.n_descsz);
            program->build_id_size = note.n_descsz;
        }
}

static void read_sections(Elf *elf, struct program *program)
{
    size_t names;
    GElf_Shdr header;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return;
    for (Elf_Scn *section = NULL;
         (section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header);) {
        const char *name = elf_strptr(elf, names, header.sh_name);
        if (header.sh_type == SHT_DYNAMIC)
            read_dynamic(section, &header, program);
        else if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
            read_symbols(elf, section, &header, program);
        else if (header.sh_type == SHT_NOTE)
            read_notes(section, program);
        else if (name && strcmp(name, ".debug_info") == 0)
            program->lines = true;
    }
}

static bool read_program(Elf *elf, struct program *program)
{
    size_t segments;
    GElf_Phdr segment;
    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &program->header) ||
        elf_getphdrnum(elf, &segments) != 0)
        return false;
    for (size_t i = 0; i < segments && gelf_getphdr(elf, (int)i, &segment); i++) {
        if (segment.p_type == PT_INTERP)
            read_loader(elf, &segment, program);
        program->dynamic |= segment.p_type == PT_DYNAMIC;
    }
    read_sections(elf, program);
    return true;
}

static bool has_debug_file(const struct program *program)
{
    char path[2 * BUILD_ID_MAX + 64] = "/usr/lib/debug/.build-id/";
    char *end = path + strlen(path);
    if (program->build_id_size < 2)
        return false;
    for (size_t i = 0; i < program->build_id_size; i++)
        end += sprintf(end, i == 0 ? "%02x/" : "%02x", program->build_id[i]);
    strcpy(end, ".debug");
    return access(path, R_OK) == 0;
}

static void check_symbols(struct findings *findings, const struct program *program)
{
    const char *urls = getenv("DEBUGINFOD_URLS");
    bool server = urls && *urls;
    if (program->lines)
        findings_add(findings, LEVEL_OK, "symbols", NULL,
                     "the program has its own debug information");
    else if (has_debug_file(program))
        findings_add(findings, LEVEL_OK, "symbols", NULL, "a debug file is installed");
    else if (server && program->build_id_size)
        findings_add(findings, LEVEL_OK, "symbols", NULL,
                     "no debug file here: debuginfod will be asked (%s)", urls);
    else
        findings_add(findings, LEVEL_NOTE, "symbols",
                     program->build_id_size ? "build with -g, install the package's debug symbols "
                                              "(-dbgsym, -debuginfo), or set "
                                              "DEBUGINFOD_URLS"
                                            : "build with -g",
                     program->symbols ? "no debug information: functions have names, but no lines"
                                      : "no debug information: the program is stripped");
}

static void check_machine(struct findings *findings, const char *path,
                          const struct program *program)
{
    if (program->header.e_machine != OWN_MACHINE ||
        program->header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
        findings_add(findings, LEVEL_PROBLEM, "machine", "use a tracesnap built for that machine",
                     "'%s' is made for another machine or word size", path);
    else if (!program->loader[0] && program->dynamic && program->header.e_type == ET_DYN &&
             !program->pie)
        findings_add(findings, LEVEL_PROBLEM, "program", "name a program", "'%s' is a library",
                     path);
    else if (!program->loader[0])
        findings_add(findings, LEVEL_PROBLEM, "static",
                     "link it dynamically: without a dynamic loader nothing can be preloaded",
                     "'%s' is statically linked", path);
    else if (strstr(program->loader, "ld-musl"))
        findings_add(findings, LEVEL_PROBLEM, "libc", "use a build of the program for glibc",
                     "'%s' is made for musl libc (%s)", path, program->loader);
    else if (!strstr(program->loader, "/ld-linux") && !strstr(program->loader, "/ld64.so"))
        findings_add(findings, LEVEL_PROBLEM, "libc", "use a build of the program for glibc",
                     "'%s' is not made for glibc (%s)", path, program->loader);
    else if (program->own_malloc)
        findings_add(findings, LEVEL_PROBLEM, "allocator",
                     "link the allocator as a shared library, which tracesnap can stand before",
                     "'%s' has its own malloc linked in: its allocations will not be seen", path);
    else
        findings_add(findings, LEVEL_OK, "program", NULL, "'%s' is dynamically linked with glibc",
                     path);
}

void doctor_check_elf(struct findings *findings, const char *path)
{
    struct program *program = calloc(1, sizeof(*program));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    elf_version(EV_CURRENT);
    Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
    if (fd < 0)
        findings_add(findings, LEVEL_NOTE, "program", "make it readable", "cannot read '%s'", path);
    else if (!program || !read_program(elf, program))
        findings_add(findings, LEVEL_PROBLEM, "program", "name a program",
                     "not an executable file '%s'", path);
    else {
        check_machine(findings, path, program);
        check_symbols(findings, program);
    }
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    free(program);
}

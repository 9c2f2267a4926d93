/*
 * Fuzz target: a program's file of any bytes, asked for functions and lines. The file is what the
 * input says byte by byte; the offsets asked for are spread over it, and those of its sections.
 */
#include "tests/fuzz/target.h"
#include "tools/symbol/symbol.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTIONS_MAX 8u

static void store(const uint8_t *data, size_t size, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_demand(fd >= 0 && write(fd, data, size) == (ssize_t)size, "the file can be written");
    close(fd);
}

static void look_up(struct symbolizer *symbolizer, const struct capture_module *module,
                    uint64_t offset)
{
    const struct symbol_result *result = symbolizer_lookup(symbolizer, module, offset);
    fuzz_demand(result->count >= 1, "there always is a frame");
    for (size_t i = 0; i < result->count; i++) {
        const struct symbol_frame *frame = &result->frames[i];
        fuzz_demand(frame->function == NULL || strlen(frame->function) < 1 << 24, "a name ends");
        fuzz_demand(frame->file == NULL || strlen(frame->file) < 1 << 24, "a file's name ends");
        fuzz_demand(frame->inlined == (i + 1 < result->count), "the last frame is not inlined");
    }
}

/* Offsets in the sections that the file says to have. */
static void look_up_sections(struct symbolizer *symbolizer, const struct capture_module *module,
                             const uint8_t *data, size_t size)
{
    Elf64_Ehdr elf;
    unsigned asked = 0;
    if (size < sizeof(elf))
        return;
    memcpy(&elf, data, sizeof(elf));
    for (unsigned i = 0; i < elf.e_shnum && asked < SECTIONS_MAX; i++) {
        Elf64_Shdr section;
        uint64_t at = elf.e_shoff + i * sizeof(section);
        if (elf.e_shoff >= size || at > size - sizeof(section))
            return;
        memcpy(&section, data + at, sizeof(section));
        if (!(section.sh_flags & SHF_EXECINSTR))
            continue;
        asked++;
        for (uint64_t step = 0; step < 24; step++)
            look_up(symbolizer, module, section.sh_addr + section.sh_size * step / 24);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    static const uint64_t offsets[] = {0, 1, 0x1000, 0x1139, 0x401136, UINT64_MAX};
    store(data, size, fuzz_path("program", path));
    struct capture_module module = {.path = path};
    struct symbol_options options = {.debuginfo = true};
    struct symbolizer *symbolizer = symbolizer_new(&options);
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        look_up(symbolizer, &module, offsets[i]);
    look_up_sections(symbolizer, &module, data, size);
    symbolizer_free(symbolizer);
    return 0;
}

/*
 * Mutations that leave an ELF file one: most of the time the bytes of one section change, and
 * nothing moves. Linked with libFuzzer only.
 */
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#define SECTIONS_MAX 64u
#define SECTION_MAX 65536u

static uint64_t state;

static uint32_t below(uint64_t limit)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return limit != 0 ? (uint32_t)((state >> 33) % limit) : 0;
}

/* The header of a section chosen by chance, which lies in the file; false when there is none. */
static bool choose(const uint8_t *data, size_t size, Elf64_Shdr *section, uint64_t *header)
{
    Elf64_Ehdr elf;
    if (size < sizeof(elf))
        return false;
    memcpy(&elf, data, sizeof(elf));
    if (elf.e_shnum == 0 || elf.e_shnum > SECTIONS_MAX || elf.e_shoff > size ||
        elf.e_shnum * sizeof(*section) > size - elf.e_shoff)
        return false;
    for (int i = 0; i < 16; i++) {
        *header = elf.e_shoff + below(elf.e_shnum) * sizeof(*section);
        memcpy(section, data + *header, sizeof(*section));
        if (section->sh_size != 0 && section->sh_size < SECTION_MAX && section->sh_offset < size &&
            section->sh_size <= size - section->sh_offset && section->sh_type != SHT_NOBITS)
            return true;
    }
    return false;
}

static void change_content(uint8_t *content, size_t size)
{
    static uint8_t changed[SECTION_MAX];
    static const uint64_t telling[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff,
                                       0x80000000, 0xfffffff0, 0xffffffff, INT64_MAX, UINT64_MAX};
    uint64_t word = telling[below(sizeof(telling) / sizeof(telling[0]))];
    size_t width = (size_t)1 << below(4);
    switch (below(4)) {
    case 0:
        if (width <= size)
            memcpy(content + below(size - width + 1), &word, width);
        break;
    case 1: /* a piece from elsewhere in the section */
        width = 1 + below(size < 32 ? size : 32);
        memmove(content + below(size - width + 1), content + below(size - width + 1), width);
        break;
    case 2: /* one byte more or less */
        content[below(size)] += below(2) ? 1 : -1;
        break;
    default:
        memcpy(changed, content, size);
        LLVMFuzzerMutate(changed, size, size);
        memcpy(content, changed, size);
    }
}

static void change_header(uint8_t *header)
{
    static const size_t fields[] = {
        offsetof(Elf64_Shdr, sh_type),   offsetof(Elf64_Shdr, sh_flags),
        offsetof(Elf64_Shdr, sh_addr),   offsetof(Elf64_Shdr, sh_offset),
        offsetof(Elf64_Shdr, sh_size),   offsetof(Elf64_Shdr, sh_link),
        offsetof(Elf64_Shdr, sh_info),   offsetof(Elf64_Shdr, sh_entsize),
    };
    size_t field = fields[below(sizeof(fields) / sizeof(fields[0]))];
    LLVMFuzzerMutate(header + field, 4, 4);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    Elf64_Shdr section;
    uint64_t header;
    state = seed;
    if (below(12) == 0 || !choose(data, size, &section, &header))
        return LLVMFuzzerMutate(data, size, max_size);
    if (below(24) == 0) {
        change_header(data + header);
        return size;
    }
    for (uint32_t times = 1 + below(4); times > 0; times--)
        change_content(data + section.sh_offset, section.sh_size);
    return size;
}

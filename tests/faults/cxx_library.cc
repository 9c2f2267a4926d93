/* A library of C++ that a program of C loads for itself alone. */
#include <cstddef>
#include <cstdint>
#include <new>

extern "C" int use(size_t (*live)());

static void *seen(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

int use(size_t (*live)())
{
    struct alignas(128) Wide {
        char bytes[256];
    };
    static volatile size_t too_much = SIZE_MAX / 4;
    size_t before = live();
    char *block = static_cast<char *>(seen(new char[1000]));
    Wide *wide = static_cast<Wide *>(seen(new Wide));
    if (live() - before != 1000 + sizeof(Wide))
        return 1;
    delete[] block;
    delete wide;
    if (live() != before)
        return 2;
    try {
        seen(new char[too_much]);
    } catch (const std::bad_alloc &) {
        return 0;
    }
    return 3;
}

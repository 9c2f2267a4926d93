/*
 * C++'s operators, said as estimates.c says them. An allocator may serve them inside or by its
 * malloc: each block is to be decided on once.
 */
#include <cstdio>
#include <cstdlib>
#include <new>

/* C's names, which reports show as they are. */
#define PLACE extern "C" __attribute__((noinline, noclone))
#define BLOCKS 100000

static void *kept[BLOCKS / 4];

static void *checked(void *block)
{
    if (block == nullptr)
        std::abort();
    *(volatile char *)block = 1;
    return block;
}

PLACE void *one()
{
    return checked(::operator new(100));
}

PLACE void *array()
{
    return checked(::operator new[](100));
}

PLACE void *silent()
{
    return checked(::operator new(100, std::nothrow));
}

PLACE void *aligned()
{
    return checked(::operator new(128, std::align_val_t(64)));
}

static void release(void *block)
{
    ::operator delete(block);
}

static void release_array(void *block)
{
    ::operator delete[](block);
}

static void release_aligned(void *block)
{
    ::operator delete(block, 128, std::align_val_t(64));
}

/* A fourth stays, if it stays at all. */
static void some(const char *place, size_t size, void *(*allocate)(), void (*free)(void *),
                 bool stays)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        void *block = allocate();
        if (i % 4 == 0)
            kept[i / 4] = block;
        else
            free(block);
    }
    for (size_t i = 0; i < BLOCKS / 4 && !stays; i++)
        free(kept[i]);
    std::printf("%s %zu %d %d\n", place, size, BLOCKS, stays ? BLOCKS / 4 : 0);
}

int main()
{
    some("one", 100, one, release, true);
    some("array", 100, array, release_array, false);
    some("silent", 100, silent, release, true);
    some("aligned", 128, aligned, release_aligned, false);
    return 0;
}

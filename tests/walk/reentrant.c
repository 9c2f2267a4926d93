/*
 * An allocator that signal handlers may call, as they may none of libc: blocks are taken from one
 * piece by a single step, and never given back. For interrupted.c.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE ((size_t)2 << 30)

static char *piece;
static size_t used;

static __attribute__((constructor(101))) void start(void)
{
    void *made = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *none = NULL;
    if (made != MAP_FAILED)
        __atomic_compare_exchange_n(&piece, &none, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

void *malloc(size_t size)
{
    if (piece == NULL)
        start();
    size_t room = ((size + 15) & ~(size_t)15) + 16;
    size_t at = __atomic_fetch_add(&used, room, __ATOMIC_RELAXED);
    if (size > PIECE || at + room > PIECE) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(piece + at, &size, sizeof size);
    for (volatile int i = 0; i < 30; i++) /* to be interrupted in */
        ;
    return piece + at + 16;
}

void free(void *block)
{
    (void)block;
    for (volatile int i = 0; i < 30; i++)
        ;
}

void *calloc(size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return malloc(all); /* never used before, hence zero */
}

void *realloc(void *old, size_t size)
{
    void *block = malloc(size);
    size_t before = 0;
    if (old != NULL && block != NULL) {
        memcpy(&before, (char *)old - 16, sizeof before);
        memcpy(block, old, before < size ? before : size);
    }
    return block;
}

/* An allocator that raises a signal inside malloc when it is told to. */
#include <signal.h>
#include <stddef.h>

int raise_now;

void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
    if (raise_now) {
        raise_now = 0;
        raise(SIGUSR1);
    }
    return __libc_malloc(size);
}

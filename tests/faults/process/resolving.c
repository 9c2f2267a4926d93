/*
 * With -DLIBRARY: a library whose constructor runs before the shim's, and whose dlsym, called by
 * the shim's first look for the next allocator, lets another thread fork meanwhile. That child
 * must find an allocator of its own: it allocates far more than the shim's arena holds.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LIBRARY

int resolving_status = -1; /* of the child */
static pthread_t thread;
static int state; /* 1 = dlsym was called, 2 = the child has ended */

static void *fork_then(void *unused)
{
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 1000; i++) {
            char *block = malloc(1000);
            if (block == NULL)
                _exit(3);
            memset(block, 1, 1000);
        }
        _exit(0);
    }
    waitpid(pid, &resolving_status, 0);
    __atomic_store_n(&state, 2, __ATOMIC_RELEASE);
    return unused;
}

void *dlsym(void *handle, const char *name)
{
    static void *(*real)(void *, const char *);
    int never = 0;
    if (real == NULL)
        real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (__atomic_compare_exchange_n(&state, &never, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
        pthread_create(&thread, NULL, fork_then, NULL) == 0)
        while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != 2)
            usleep(100);
    return real(handle, name);
}

#else

extern int resolving_status;

int main(void)
{
    return resolving_status == 0 ? 0 : 1;
}

#endif

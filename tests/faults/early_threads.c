/* A library whose constructor runs before the shim's, and has five thousand threads come and go. */
#include <pthread.h>
#include <stdlib.h>

#define THREADS 5000

static void *work(void *unused)
{
    void *block = malloc(100);
    __asm__ volatile("" : "+r"(block) : : "memory");
    free(block);
    return unused;
}

static __attribute__((constructor)) void early(void)
{
    pthread_t thread;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, work, NULL) == 0)
            pthread_join(thread, NULL);
}

int early_threads(void)
{
    return THREADS;
}

/*
 * A program of C loads a library of C++ that throws: within itself, and through frames of the
 * program. Its threads are cancelled with objects of the library on their stacks. The unwinder must
 * be libgcc's, whatever the tracer has loaded for itself. Argument: the library.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

static int (*throw_and_catch)(int);
static int (*catch_through)(void (*)(void));
static void (*throw_out)(void), (*hold)(void (*)(void));
static sem_t waiting;
static int cleaned;

static __attribute__((noinline)) void pass_on(void)
{
    void *block = FAULT_MALLOC(10);
    throw_out();
    free(block);
}

static void wait_here(void)
{
    sem_post(&waiting);
    for (;;)
        pause();
}

static void clean(void *block)
{
    free(block);
    cleaned++;
}

static void *run(void *unused)
{
    pthread_cleanup_push(clean, FAULT_MALLOC(20));
    hold(wait_here);
    pthread_cleanup_pop(1);
    return unused;
}

static void is_libgcc(void *library, const char *name)
{
    Dl_info info;
    void *found = dlsym(library, name);
    FAULT_TRUE(found != NULL && dladdr(found, &info) != 0);
    if (strstr(info.dli_fname, "libgcc_s") == NULL) {
        dprintf(2, "%s is of %s\n", name, info.dli_fname);
        _exit(1);
    }
}

static void check_unwinder(void *library)
{
    static const char *const names[] = {"_Unwind_RaiseException", "_Unwind_Resume",
                                        "_Unwind_ForcedUnwind", "_Unwind_GetIP",
                                        "_Unwind_DeleteException"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        is_libgcc(library, names[i]);
        FAULT_TRUE(dlsym(RTLD_DEFAULT, names[i]) == NULL); /* nobody's in the global scope */
    }
}

int main(int argc, char **argv)
{
    FAULT_EQUAL(argc, 2);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    FAULT_TRUE(library != NULL);
    check_unwinder(library);
    throw_and_catch = (int (*)(int))dlsym(library, "throw_and_catch");
    catch_through = (int (*)(void (*)(void)))dlsym(library, "catch_through");
    throw_out = (void (*)(void))dlsym(library, "throw_out");
    hold = (void (*)(void (*)(void)))dlsym(library, "hold");
    sem_init(&waiting, 0, 0);
    for (int i = 0; i < 100; i++) {
        FAULT_EQUAL(throw_and_catch(i), i + 1);
        FAULT_EQUAL(catch_through(pass_on), 'o');
    }
    for (int i = 1; i <= 20; i++) {
        pthread_t thread;
        void *result;
        FAULT_EQUAL(pthread_create(&thread, NULL, run, NULL), 0);
        while (sem_wait(&waiting) != 0)
            continue;
        FAULT_EQUAL(pthread_cancel(thread), 0);
        FAULT_EQUAL(pthread_join(thread, &result), 0);
        FAULT_TRUE(result == PTHREAD_CANCELED);
        FAULT_EQUAL(cleaned, i);
    }
    FAULT_TRUE(dlsym(RTLD_DEFAULT, "_Unwind_RaiseException") == NULL);
    return 0;
}

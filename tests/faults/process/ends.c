/*
 * Ends of all kinds that do not come from main: what it held at that moment can be read.
 *
 *     ends HOW
 */
#include "tests/faults/fault.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

static const char *how;
static void *kept[100];
static int made;
static sigjmp_buf before;
static char stack[65536];

static __attribute__((noipa)) void allocate(int count)
{
    for (int i = 0; i < count; i++)
        kept[made++] = FAULT_MALLOC(100);
}

static __attribute__((noipa)) int overflow(volatile char *above)
{
    volatile char frame[4096];
    frame[0] = above[0];
    return overflow(frame) + frame[0];
}

/* On a stack of its own, since the program's is used up or its heap is in use. */
static void handler(int signal_number)
{
    allocate(5);
    if (strstr(how, "-exit") != NULL)
        _exit(7);
    if (strstr(how, "-jump") != NULL)
        siglongjmp(before, 1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void handle(int signal_number)
{
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    FAULT_EQUAL(sigaltstack(&own, NULL), 0);
    FAULT_EQUAL(sigaction(signal_number, &action, NULL), 0);
}

static void *after_main(void *main_thread)
{
    FAULT_EQUAL(pthread_join(*(pthread_t *)main_thread, NULL), 0);
    allocate(3);
    FAULT_TRUE(tracesnap_is_tracing());
    if (strcmp(how, "thread-wait") == 0) {
        char byte;
        dprintf(1, "%d\n", getpid());
        while (read(0, &byte, 1) > 0)
            continue;
    }
    exit(8);
}

static void end(void)
{
    static pthread_t self;
    pthread_t thread;
    if (strncmp(how, "overflow", 8) == 0 && sigsetjmp(before, 1) == 0) {
        handle(SIGSEGV);
        overflow((volatile char *)how);
    } else if (strncmp(how, "abort", 5) == 0) {
        handle(SIGABRT);
        abort();
    } else if (strncmp(how, "quick", 5) == 0) {
        quick_exit(9);
    } else if (strncmp(how, "thread", 6) == 0) {
        self = pthread_self();
        FAULT_EQUAL(pthread_create(&thread, NULL, after_main, &self), 0);
        pthread_exit(NULL);
    }
    allocate(2); /* after the jump */
}

int main(int argc, char **argv)
{
    FAULT_EQUAL(argc, 2);
    how = argv[1];
    allocate(10);
    end();
    return 0;
}

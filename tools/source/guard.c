/*
 * Surviving SIGBUS: a mapped file can be truncated by its writer at any time, and the next access
 * faults.
 */
#include "tools/source/reader.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

static _Thread_local sigjmp_buf *volatile escape;

static void on_bus_error(int signal_number)
{
    if (escape != NULL)
        siglongjmp(*escape, 1);
    /* Not ours: the default action ends the process when the access is repeated. */
    signal(signal_number, SIG_DFL);
}

static void install(void)
{
    struct sigaction action = {.sa_handler = on_bus_error};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

int guard_run(void (*body)(void *argument), void *argument)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sigjmp_buf here;
    pthread_once(&once, install);
    if (sigsetjmp(here, 1) != 0) {
        escape = NULL;
        return -1;
    }
    escape = &here;
    body(argument);
    escape = NULL;
    return 0;
}

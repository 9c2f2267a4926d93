/*
 * Two plug-ins that take turns at the same addresses. Only a thread's main strand calls through
 * them; they are not closed while one of its frames returns there.
 */
#include "worker.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>

void library_open(struct worker *worker)
{
    char path[PATH_MAX];
    Dl_info info;
    snprintf(path, sizeof path, "%s/plugin-%d-%d.so", settings.directory, worker->number,
             worker->library_which);
    worker->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    worker->library_node =
        worker->library == NULL ? NULL : (node *)dlsym(worker->library, "plugin_node");
    if (worker->library_node == NULL || dladdr((void *)worker->library_node, &info) == 0)
        abort();
    worker->library_low = (uintptr_t)info.dli_fbase;
    worker->library_high = (uintptr_t)worker->library_node + 256;
}

void library_reopen(struct worker *worker)
{
    if (in_use(worker, worker->library_low, worker->library_high))
        return;
    if (dlclose(worker->library) != 0)
        abort();
    worker->library_which = !worker->library_which;
    library_open(worker);
}

/*
 * Done by a thread of its own while the worker waits: the worker allocates nothing meanwhile, so
 * that the last stack that a tracer remembers of it may be one through the library that is gone.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct worker *waiting;

static void *librarian(void *unused)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        while (waiting == NULL)
            pthread_cond_wait(&changed, &lock);
        library_reopen(waiting);
        waiting = NULL;
        pthread_cond_broadcast(&changed);
    }
    return unused;
}

void librarian_start(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, librarian, NULL) != 0)
        abort();
}

static void reopen_elsewhere(struct worker *worker)
{
    pthread_mutex_lock(&lock);
    while (waiting != NULL)
        pthread_cond_wait(&changed, &lock);
    waiting = worker;
    pthread_cond_broadcast(&changed);
    while (waiting == worker)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

long plugin(struct strand *s, long level)
{
    ENTER;
    if (s->worker->exchange)
        reopen_elsewhere(s->worker);
    s->worker->exchange = false;
    long (*call)(struct strand *, long, node *) =
        (long (*)(struct strand *, long, node *))s->worker->library_node;
    call(s, level, go_below);
    return LEAVE;
}

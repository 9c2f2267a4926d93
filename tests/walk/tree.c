/*
 * The program: one worker in the main thread, more in threads of their own.
 *
 *     tree BOOKS PLUG-INS seed=N steps=N workers=N levels=N \
 *          sober=0|1 odd=0|1 mixed=0|1 coroutines=0|1 libraries=0|1 stepping=0|1 \
 *          heirs=0|1 alike=0|1 clears=0|1
 */
#include "worker.h"

#include <alloca.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORKERS_MAX 16

struct settings settings = {.seed = 1, .steps = 1000, .workers = 1, .level_max = 40};
static struct worker workers[WORKERS_MAX];

/* Room for stacks within this one (coroutines.c). */
static NOINLINE void work_on(struct worker *worker, struct strand *s)
{
    ENTER;
    worker->within = alloca(STACK_SIZE);
    go(s, 0);
    s->depth--;
}

static NOINLINE void *work(void *argument)
{
    struct worker *worker = argument;
    struct strand *s = worker->current = &worker->main;
    books_start(worker);
    events_start(worker);
    if (settings.coroutines)
        coroutines_start(worker);
    if (settings.libraries)
        library_open(worker);
    script_start(s, worker, settings.seed * WORKERS_MAX + (uint64_t)worker->number, settings.steps,
                 worker->number == 0 ? "_start" : "clone3");
    ENTER;
    work_on(worker, s);
    coroutines_end(worker);
    return NULL;
}

static void set(const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t length = equals == NULL ? 0 : (size_t)(equals - argument);
    const struct {
        const char *name;
        long *number;
        bool *flag;
    } known[] = {
        {"seed", (long *)&settings.seed, NULL},   {"steps", &settings.steps, NULL},
        {"workers", &settings.workers, NULL},     {"levels", &settings.level_max, NULL},
        {"sober", NULL, &settings.sober},         {"odd", NULL, &settings.odd},
        {"mixed", NULL, &settings.mixed},         {"coroutines", NULL, &settings.coroutines},
        {"libraries", NULL, &settings.libraries}, {"stepping", NULL, &settings.stepping},
        {"heirs", NULL, &settings.heirs},         {"alike", NULL, &settings.alike},
        {"clears", NULL, &settings.clears},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) != length || memcmp(known[i].name, argument, length) != 0)
            continue;
        if (known[i].number != NULL)
            *known[i].number = atol(equals + 1);
        else
            *known[i].flag = atol(equals + 1) != 0;
        return;
    }
    fprintf(stderr, "tree: unknown argument '%s': see tree.c\n", argument);
    exit(2);
}

int main(int argc, char **argv)
{
    for (int i = 3; i < argc; i++)
        set(argv[i]);
    int books = argc < 3 ? -1 : open(argv[1], O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (books < 0 || settings.workers > WORKERS_MAX || settings.level_max >= LEVELS)
        return 2;
    settings.directory = argv[2];
    sites_start();
    if (settings.libraries)
        librarian_start();
    for (int i = 1; i < settings.workers; i++) {
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 2;
    }
    work(&workers[0]);
    for (int i = 1; i < settings.workers; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < settings.workers; i++)
        books_write(books, &workers[i]);
    if (settings.heirs)
        books_write(books, &heir);
    return 0;
}

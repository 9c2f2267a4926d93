/*
 * A thread of the tree: its strands, one of which runs, and its books. Nothing here allocates by
 * malloc but the tree itself.
 */
#ifndef TRACESNAP_TESTS_WALK_WORKER_H
#define TRACESNAP_TESTS_WALK_WORKER_H

#include "nodes.h"

#include <pthread.h>
#include <ucontext.h>

#define COROUTINES 4
#define BLOCKS 256
#define STACK_SIZE ((size_t)2 << 20)
#define GENERATED 4 /* functions written at run time */

/* One context as the program itself knows it. */
struct entry {
    uint64_t hash; /* 0: free */
    const char *where;
    const char *root;
    uint32_t first, count; /* of its frames in the worker's, innermost first */
    uint64_t allocated_count, allocated_size, live_count, live_size;
};

enum stack_place { STACK_MAPPED, STACK_MAPPED_AGAIN, STACK_STATIC, STACK_WITHIN, STACK_PLACES };

struct coroutine {
    struct strand strand;
    bool alive, by_context; /* makecontext; else switch_stack */
    char *stack;
    size_t stack_size, shorter; /* by so many pages */
    uint64_t seed;
    long steps;
    enum stack_place place;
    ucontext_t context, resumer;
    void *sp, *resumer_sp;
};

struct worker {
    struct strand main; /* on the thread's own stack */
    struct strand *current;
    struct coroutine coroutine[COROUTINES];
    char *within, *area; /* for stacks: in the thread's own, and not */
    struct entry *entries;
    uint64_t *frames;
    uint32_t frame_count;
    struct block blocks[BLOCKS];

    int number;
    void *library;
    uintptr_t library_low, library_high;
    int library_which;
    node *library_node;
    bool exchange; /* the library for the other, when next called */
    uint8_t *code; /* generated functions, one per CODE_STEP */

    pthread_t thread;
};

#define CODE_STEP 1024

/* What is asked for on the command line. */
extern struct settings {
    uint64_t seed;
    long steps, workers, level_max;
    bool sober, odd, mixed, coroutines, libraries, stepping, heirs, alike, clears;
    const char *directory; /* of the plug-ins */
} settings;

/* books.c */
void books_start(struct worker *worker);
struct entry *books_allocated(struct strand *s, const char *where, size_t size);
void books_clear(struct worker *worker); /* and the tracer's */
void books_write(int fd, const struct worker *worker);

/* events.c */
extern __thread struct worker *worker_self;
void events_start(struct worker *worker);
node generated, stepped;

/* libraries.c */
void library_open(struct worker *worker);
void library_reopen(struct worker *worker);
void librarian_start(void);
#define LIBRARY_FRAMES_DIFFER 4 /* in units of step.size: walk.py builds them so */
node plugin;

/* coroutines.c */
void coroutines_start(struct worker *worker);
void coroutine_switch(struct strand *s);
bool coroutine_is_new(struct strand *s); /* has allocated once */
void coroutines_end(struct worker *worker);

/* sites.c */
void sites_start(void);
const char *site_name(int site);

/* heirs.c */
extern struct worker heir;
bool may_have_heirs(const struct strand *s); /* one at a time */
void heir_live(struct strand *s);

/* catching.cc */
void throw_to_landing(long level) __attribute__((noreturn));

/* script.c */
void script_start(struct strand *s, struct worker *worker, uint64_t seed, long steps,
                  const char *root);
void keep_block(struct strand *s, void *address, struct entry *entry);

static inline bool on_shadow(const struct strand *s, uintptr_t low, uintptr_t high)
{
    for (long i = 0; i < s->depth; i++)
        if (s->shadow[i] >= low && s->shadow[i] < high)
            return true;
    return false;
}

/* Some strand of the worker has a frame there: that code must stay. */
static inline bool in_use(const struct worker *worker, uintptr_t low, uintptr_t high)
{
    for (int i = 0; i < COROUTINES; i++)
        if (worker->coroutine[i].alive && on_shadow(&worker->coroutine[i].strand, low, high))
            return true;
    return on_shadow(&worker->main, low, high);
}

#endif

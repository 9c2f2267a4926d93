/*
 * A stack to record, and a process to record it in. See stand_ins.h.
 */
#include "tests/proof/stand_ins.h"

#include "region/hash.h"
#include "region/key.h"
#include "shim/capture.h"
#include "shim/contexts.h"
#include "shim/live.h"
#include "shim/modules.h"
#include "shim/options.h"
#include "shim/process.h"
#include "shim/region.h"
#include "shim/sample.h"
#include "shim/system.h"
#include "shim/threads.h"

#include <stdio.h>
#include <stdlib.h>

struct options options = {.depth = TS_DEPTH_DEFAULT, .follow = 1};
uint32_t module_generation;
static struct process_page page = {.mode = PROCESS_TRACING};
struct process_page *process_page = &page;

void options_say(const char *cause, const char *subject, const char *fix)
{
    printf("# %s '%s': %s\n", cause, subject, fix);
}

/* Nobody is early here: every thread is in a process that is traced. */
void process_early(void)
{
    printf("Bail out! a thread is early\n");
    exit(99);
}

const char *process_variable(const char *name)
{
    return getenv(name);
}

uint64_t fake_key(uint64_t frame)
{
    return ts_key(TS_FRAME_UNKNOWN, 0, frame);
}

/* The stack that the thread says it is in; nothing of it is remembered. */
void walk_stack(struct thread *thread, const struct walk_start *start, struct walk_frames *frames)
{
    const struct fake_stack *stack = &((const struct fake_thread *)(void *)thread)->stack;
    uint64_t prefix = TS_HASH_ROOT;
    (void)start;
    frames->count = stack->count;
    frames->kept = 0;
    frames->reusable = false;
    for (uint32_t i = 0; i < stack->count; i++) {
        prefix = ts_hash_step(prefix, fake_key(stack->frames[i]));
        frames->path[i] = (struct walk_path){fake_key(stack->frames[i]), prefix, 0};
    }
}

void books_open(void)
{
    static bool opened;
    if (opened)
        return;
    opened = true;
    if (index_start(32) && region_create() && contexts_start()) {
        ts_store_release(&region_header->ready, 1);
        return;
    }
    printf("Bail out! no region: set TRACESNAP_DIR\n");
    exit(99);
}

bool books_open_child(struct fake_thread *thread)
{
    contexts_forked();
    index_forked();
    sample_forked(&thread->thread);
    if (!region_fork())
        return false;
    record_inherited(&thread->thread);
    ts_store_release(&region_header->ready, 1);
    return true;
}

void books_allocate(struct fake_thread *thread, uintptr_t address, size_t size)
{
    const struct walk_start start = {0x1000, 0x7000, 0x7000};
    record_allocation(&thread->thread, (const void *)address, size, &start);
}

void books_free(struct fake_thread *thread, uintptr_t address)
{
    record_free(&thread->thread, (const void *)address);
}

void books_leave(struct fake_thread *thread)
{
    struct shard *shard = thread->thread.shard;
    thread->thread.ended = true;
    thread->thread.shard = NULL;
    live_flush(&thread->thread);
    if (shard != NULL)
        shard_give(shard);
}

/* No interpreter: python.on stays 0. */
struct python python;

uintptr_t python_remember(struct thread *thread, uintptr_t state)
{
    (void)thread, (void)state;
    abort();
}

uint64_t python_frames_read_any(struct python_frames *frames, uintptr_t frame)
{
    (void)frames, (void)frame;
    abort();
}

struct ts_cell *capture_python(struct thread *thread, struct shard *shard,
                               const struct walk_start *start, uint32_t *context)
{
    (void)thread, (void)shard, (void)start, (void)context;
    abort();
}

uintptr_t python_recall(struct thread *thread)
{
    (void)thread;
    abort();
}

/* As many as python.met: none is new. */
uint32_t modules_count(void)
{
    return 0;
}

void python_meet_new(void)
{
    abort();
}

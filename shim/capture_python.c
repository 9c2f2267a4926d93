/*
 * Stacks in a process with a Python interpreter.
 */
#include "shim/capture.h"
#include "shim/contexts.h"
#include "shim/options.h"
#include "shim/python_births.h"
#include "shim/python_known.h"
#include "shim/python_proof.h"
#include "shim/region.h"

/* verify=1: what was taken over of the last capture must be what is there now. */
static uint64_t frames_of(struct python_shard *shard, uintptr_t state)
{
    struct python_frames *frames = &shard->frames;
    uintptr_t newest = python_newest(state);
    if (shard->hashed) {
        python_frames_settle(frames);
        return shard->frames_hash;
    }
    uint64_t hash = python_frames_read_any(frames, newest);
    if (!options.verify || newest == 0)
        return hash;
    frames->count = 0;
    if (python_frames_read_any(frames, newest) != hash)
        region_drop(TS_DROP_VERIFY);
    return hash;
}

static struct contexts_path merged(struct shard *shard, uintptr_t state, enum ts_domain domain)
{
    struct contexts_path stack = contexts_path_of(&shard->frames);
    if (state != 0) {
        struct python_path *path = &shard->python.path;
        python_merge(path, &shard->frames, &shard->python.frames, state);
        stack = (struct contexts_path){path->path, path->count, domain};
    }
    stack.domain = domain;
    return stack;
}

/* What is asked of a stack before it is walked. */
struct asked {
    uintptr_t state, anchor, stop;
    uint64_t frames; /* hash of the Python part */
    enum ts_domain domain;
};

static struct asked ask(struct thread *thread, struct shard *shard)
{
    struct asked asked = {.domain = (enum ts_domain)thread->domain};
    if (asked.domain == TS_DOMAIN_LIBC)
        python_look_after();
    uintptr_t state = python_state_of(thread, asked.domain);
    if (state == 0 || (ts_load_relaxed(&python.reading) != PYTHON_READING && !python_prove(state)))
        return asked;
    asked.state = state;
    asked.frames = frames_of(&shard->python, state);
    asked.anchor = python_loop_of(&shard->python.frames, state);
    asked.stop = python_stop(asked.anchor);
    return asked;
}

/* verify=1: the context under which the stack would be found without a walk; 0 = under none. */
static uint32_t claimed(struct shard *shard, const struct walk_start *start,
                        const struct asked *asked)
{
    uint64_t outer;
    if (!options.verify ||
        !outer_known(&shard->python.outer, &shard->frames, asked->anchor, &outer))
        return 0;
    uint64_t known = memo_known(&shard->memo, start);
    struct python_place *place =
        place_find(&shard->python, &shard->memo.ring,
                   place_key(known, outer, asked->frames, asked->domain), start->sp);
    return place != NULL ? place->context : 0;
}

/* The place of a stack that was walked, or what is to be filed as such. */
static struct python_place *find(struct shard *shard, const struct walk_start *start,
                                 const struct asked *asked, struct python_place *new)
{
    const struct walk_frames *walked = &shard->frames;
    struct python_outer *outer = &shard->python.outer;
    outer_take(outer, walked, asked->anchor, asked->stop);
    if (!walked->reusable) {
        uint64_t path = walked->path[walked->count - 1].prefix;
        new->key = place_key(path, OUTER_NOTHING, asked->frames, asked->domain);
        new->sp = PLACE_WALKED;
        return place_find_walked(&shard->python, new->key);
    }
    uint64_t known = memo_known(&shard->memo, start);
    new->key = place_key(known, outer->identity, asked->frames, asked->domain);
    new->sp = start->sp;
    return place_find(&shard->python, &shard->memo.ring, new->key, new->sp);
}

static void file(struct shard *shard, const struct walk_start *start, struct python_place *new)
{
    uint32_t loop = shard->python.outer.loop;
    if (new->sp == PLACE_WALKED ||
        memo_slots_of(&shard->memo, start, &shard->frames, loop, &new->slots))
        place_file(&shard->python, new);
}

struct ts_cell *capture_python(struct thread *thread, struct shard *shard,
                               const struct walk_start *start, uint32_t *context)
{
    struct python_place new = {.key = 0};
    if (shard->python.found != NULL) {
        *context = shard->python.found->context;
        return shard->python.found->cell;
    }
    struct asked asked = ask(thread, shard);
    uint32_t expected = claimed(shard, start, &asked);
    shard->frames.stop = asked.stop;
    walk_stack(thread, start, &shard->frames);
    struct python_place *place = find(shard, start, &asked, &new);
    if (place != NULL && !options.verify) {
        *context = place->context;
        return place->cell;
    }
    if (asked.state != 0 && asked.domain >= TS_DOMAIN_MEM)
        python_births_look_after();
    *context = contexts_of(merged(shard, asked.state, asked.domain));
    if (expected != 0 && !contexts_same(expected, *context))
        region_drop(TS_DROP_VERIFY);
    new.cell = capture_cell(shard, context);
    new.context = *context;
    /* After the merge: it may have met code that is new, but not one that died. */
    if (place == NULL && *context != CONTEXT_CATCH_ALL && new.cell != NULL)
        file(shard, start, &new);
    return new.cell;
}

/*
 * The scripts: what a strand does next. Called from the innermost function, which has just
 * allocated.
 *
 * The next stack is mostly the last one with one thing changed somewhere, since that is where a
 * tracer that remembers its last stack could go wrong: the same functions at the same addresses of
 * the stack, called from elsewhere; and frames that grow where another shrinks, so that all further
 * in lie where they lay, though what they return to has moved and what was there before still
 * stands beside it.
 */
#include "worker.h"

#include <string.h>

#define DECLARE_KIND(variant, kind) node NODE_NAME(variant, kind);
#define DECLARE(name) node name;
#define V(variant) KINDS(DECLARE_KIND, variant)
VARIANTS
#undef V
KINDS(DECLARE_KIND, bare)
SOBER_NODES(DECLARE)
ODD_NODES(DECLARE)
UNCHARTED_NODES(DECLARE)
BARE_NODES(DECLARE)

#define LIST_KIND(variant, kind) NODE_NAME(variant, kind),
#define LIST(name) name,
static node *const nodes[] = {
#define V(variant) KINDS(LIST_KIND, variant)
    VARIANTS
#undef V
        SOBER_NODES(LIST) stepped,
    ODD_NODES(LIST) UNCHARTED_NODES(LIST) BARE_NODES(LIST) KINDS(LIST_KIND, bare)};

#define ONE(name) +1
#define ONE_KIND(variant, kind) +1
#define V(variant) +1
enum { /* where the parts of that list begin */
       KIND_COUNT = 0 KINDS(ONE_KIND, none),
       SOBER_KIND_COUNT = 0 SOBER_KINDS(ONE_KIND, none),
       VARIANT_COUNT = 0 VARIANTS,
       SOBER_FIRST = VARIANT_COUNT * KIND_COUNT,
       STEPPED_FIRST = SOBER_FIRST SOBER_NODES(ONE),
       ODD_FIRST = STEPPED_FIRST + 1,
       UNCHARTED_FIRST = ODD_FIRST ODD_NODES(ONE),
       BARE_FIRST = UNCHARTED_FIRST UNCHARTED_NODES(ONE),
       NODE_COUNT = sizeof nodes / sizeof nodes[0],
};
#undef V

/* settings.alike: a plain function, as deep as to fill places of memory of one size. */
#define ALIKE_FUNCTION 0
#define ALIKE_LAST 9
#define ALIKE_SITES 5

#define HURRY 40
#define HURRY_RARE 200

node *node_at(const struct strand *s, long level)
{
    return nodes[s->script[level].function];
}

static bool chance(struct strand *s, uint32_t one_in)
{
    return below(s, one_in) == 0;
}

static bool may_call(const struct strand *s, unsigned function)
{
    if (nodes[function] == plugin)
        return s->worker->library != NULL && s == &s->worker->main;
    if (function < SOBER_FIRST)
        return s->mood != MOOD_SOBER || function % KIND_COUNT < SOBER_KIND_COUNT;
    if (function < STEPPED_FIRST)
        return true;
    if (function < ODD_FIRST)
        return settings.stepping && s->mood != MOOD_SOBER;
    if (function < UNCHARTED_FIRST)
        return settings.odd && (s->mood == MOOD_ODD || s->mood == MOOD_MIXED);
    if (function < BARE_FIRST)
        return s->mood == MOOD_UNCHARTED || s->mood == MOOD_MIXED;
    return s->mood == MOOD_MIXED;
}

static void choose_function(struct strand *s, struct step *step)
{
    step->function = ALIKE_FUNCTION;
    if (settings.alike)
        return;
    do {
        if (chance(s, 5))
            step->function = (uint16_t)(SOBER_FIRST + below(s, BARE_FIRST - SOBER_FIRST));
        else if (chance(s, 3)) /* kinds 2 and 3: frames of any size */
            step->function = (uint16_t)(below(s, VARIANT_COUNT) * KIND_COUNT + 2 + below(s, 2));
        else
            step->function = (uint16_t)below(s, NODE_COUNT);
    } while (!may_call(s, step->function));
}

static void choose_step(struct strand *s, struct step *step)
{
    choose_function(s, step);
    step->site = (uint8_t)below(s, 4);
    step->size = (uint8_t)below(s, 64);
}

/* Frames a and b of the script, a further out, in (from, last]. */
static bool choose_two(struct strand *s, long from, struct step **a, struct step **b)
{
    if (s->last - from < 2)
        return false;
    long first = from + 1 + below(s, (uint32_t)(s->last - from - 1));
    long second = chance(s, 2) ? first + 1 : first + 1 + below(s, (uint32_t)(s->last - first));
    *a = &s->script[first];
    *b = &s->script[second];
    return true;
}

/* What one gives the other takes, and the inner one is called from another place. */
static void shift(struct strand *s, struct step *a, struct step *b)
{
    uint8_t sum = a->size + b->size, least = sum > 63 ? sum - 63 : 0;
    if (sum == 0)
        return;
    a->size = (uint8_t)(least + below(s, (uint32_t)(sum < 63 ? sum : 63) - least + 1u));
    b->size = (uint8_t)(sum - a->size);
    if (!chance(s, 4))
        b->site = (uint8_t)((b->site + 1) % 4);
}

/* A tracer may remember more than the last stack: earlier ones come back, as they were or nearly.
 */
static void recall(struct strand *s, long from)
{
    const struct memory *memory = &s->memory[below(s, MEMORIES)];
    if (memory->last <= from || memory->mood != s->mood)
        return;
    memcpy(s->script + from + 1, memory->script + from + 1,
           (size_t)(memory->last - from) * sizeof(struct step));
    s->last = memory->last;
}

static void remember(struct strand *s)
{
    struct memory *memory = &s->memory[below(s, MEMORIES)];
    memcpy(memory->script, s->script, sizeof memory->script);
    memory->last = s->last;
    memory->mood = s->mood;
}

static bool has_size(const struct step *step)
{
    unsigned kind = step->function % KIND_COUNT;
    return step->function < SOBER_FIRST && (kind == 2 || kind == 3);
}

/* Has the plug-in taken for the other one, and gives to a frame further out what its frame loses.
 */
static void exchange(struct strand *s, long from)
{
    struct worker *worker = s->worker;
    int more = worker->library_which == 0 ? -LIBRARY_FRAMES_DIFFER : LIBRARY_FRAMES_DIFFER;
    for (long i = from + 2; i <= s->last; i++) {
        struct step *outer = &s->script[i - 1];
        if (nodes[s->script[i].function] != plugin)
            continue;
        if (!has_size(outer))
            outer->function = (uint16_t)(below(s, VARIANT_COUNT) * KIND_COUNT + 2);
        else if (outer->size + more >= 0 && outer->size + more < 64)
            outer->size = (uint8_t)(outer->size + more);
        worker->exchange = true;
        return;
    }
}

/* One of some thousand stacks of one length and frames of one size. */
static void vary(struct strand *s, long from)
{
    for (long i = from + 1; i <= s->last; i++)
        s->script[i].site = (uint8_t)(i <= ALIKE_SITES ? below(s, 4) : 0);
}

static void change(struct strand *s, long from)
{
    struct step *a, *b;
    if (chance(s, 16))
        remember(s);
    if (chance(s, 3))
        recall(s, from);
    if (s->worker->library != NULL && s == &s->worker->main && chance(s, 3)) {
        exchange(s, from);
        return;
    }
    switch (below(s, 8)) {
    case 0:
    case 1:
    case 2:
        if (choose_two(s, from, &a, &b))
            shift(s, a, b);
        return;
    case 3:
    case 4:
        if (s->last > from)
            s->script[from + 1 + below(s, (uint32_t)(s->last - from))].site = (uint8_t)below(s, 4);
        return;
    case 5:
        if (s->last > from)
            choose_step(s, &s->script[from + 1 + below(s, (uint32_t)(s->last - from))]);
        return;
    case 6: /* longer or shorter; what was further in may come back */
        s->last = from + below(s, (uint32_t)(s->level_max - from));
        if (s->last > from + 12 && !chance(s, 8))
            s->last = from + 12;
        return;
    default: return; /* the same once more */
    }
}

/* Frames may leave by longjmp what they would leave by return, if one waits there. */
static void go_back(struct strand *s, long level)
{
    long target = s->target;
    if (target < 0 || target == level || !s->landing[target].set || chance(s, 3))
        return;
    for (long i = target + 1; i < s->level_max; i++)
        s->landing[i].set = false;
    s->depth = s->landing[target].depth;
    s->alternate = s->landing[target].alternate;
    if (s->landing[target].catches)
        throw_to_landing(target);
    longjmp(s->landing[target].at, 1);
}

static void forget_block(struct block *block)
{
    if (block->address == NULL)
        return;
    if (block->entry != NULL) {
        block->entry->live_count--;
        block->entry->live_size -= block->size;
    }
    block->address = NULL;
}

void keep_block(struct strand *s, void *address, struct entry *entry)
{
    struct block *block = &s->worker->blocks[below(s, BLOCKS)];
    void *old = block->address;
    forget_block(block);
    free(old);
    *block = (struct block){address, s->size, entry};
}

/* Few where counts are cleared, so that stacks have blocks of the same size before and after. */
static size_t choose_size(struct strand *s)
{
    return settings.clears ? 1 + 40 * below(s, 4) : 1 + below(s, 300);
}

/* Mostly malloc, so that the innermost frame is the same, too. */
static void choose_allocation(struct strand *s)
{
    if (s->hurry > 0) {
        s->hurry--;
        s->how = HOW_SITE;
        s->site = (int)below(s, SITES);
        s->size = choose_size(s);
        return;
    }
    s->how = chance(s, 8) ? (enum how)below(s, 4) : HOW_MALLOC;
    s->size = s->how == HOW_ALIGNED ? 64 * (1 + below(s, 4)) : choose_size(s);
    if (s->how == HOW_REALLOC)
        s->old = &s->worker->blocks[below(s, BLOCKS)];
    if (chance(s, HURRY_RARE))
        s->hurry = HURRY;
}

static void choose_target(struct strand *s, long level)
{
    long back = 0;
    if (s->hurry > 0) {
        s->target = level;
        return;
    }
    while (back < level && !chance(s, 3))
        back++;
    s->target = chance(s, 12) ? (long)below(s, (uint32_t)level + 1) : level - back;
    if (--s->steps <= 0)
        s->target = -1;
}

/* Another script, from the outermost function on. */
static void begin_anew(struct strand *s)
{
    s->mood = chance(s, 3) ? (enum mood)below(s, settings.mixed ? 4 : 3) : MOOD_SOBER;
    if (settings.sober || s->worker == &heir)
        s->mood = MOOD_SOBER;
    else if (s->mood == MOOD_ODD && !settings.odd)
        s->mood = MOOD_UNCHARTED;
    for (long i = 1; i < s->level_max; i++)
        choose_step(s, &s->script[i]);
    s->last = settings.alike ? ALIKE_LAST : below(s, (uint32_t)s->level_max);
    s->target = 0;
}

void acted(struct strand *s, long level, const char *where, void *address)
{
    if (address == NULL)
        abort();
    if (s->how == HOW_REALLOC)
        forget_block(s->old);
    keep_block(s, address,
               books_allocated(s, s->how == HOW_SITE ? site_name(s->site) : where, s->size));
    s->depth -= s->how == HOW_SITE;
    if (settings.heirs && may_have_heirs(s) && chance(s, 40))
        heir_live(s);
    if (settings.clears && chance(s, 1500))
        books_clear(s->worker);
    if (s->worker->library != NULL && chance(s, 40))
        library_reopen(s->worker);
    if (s->worker->area != NULL && s->alternate == 0 && (chance(s, 10) || coroutine_is_new(s)))
        coroutine_switch(s);
    choose_target(s, level);
    if (s->hurry > 0 || s->target < 0)
        ;
    else if (settings.alike)
        vary(s, s->target);
    else if (chance(s, 100))
        begin_anew(s);
    else if (!chance(s, 6))
        change(s, s->target);
    choose_allocation(s);
    go_back(s, level);
}

void script_start(struct strand *s, struct worker *worker, uint64_t seed, long steps,
                  const char *root)
{
    memset(s, 0, offsetof(struct strand, landing));
    s->level_max = settings.level_max;
    for (long i = 0; i < s->level_max; i++)
        s->landing[i].set = s->landing[i].catches = false;
    for (int i = 0; i < MEMORIES; i++)
        s->memory[i].last = 0;
    s->random = seed;
    s->worker = worker;
    s->steps = steps;
    s->root = root;
    choose_step(s, &s->script[0]);
    begin_anew(s);
    choose_allocation(s);
}

/*
 * Stacks seen before, each with all that an allocation under it needs: the context and its counter
 * cell. A program allocates from some hundred stacks over and over; where the last stack (walk.h)
 * differs from this one in a few inner frames, this one's own earlier capture differs in none.
 *
 * An entry holds the start of a walk (pc and sp; bp, if needed, has a slot: the hook's own frame
 * holds it) and the slots that the walk read: where they are, as distances, and what was there. If
 * the start and all slots are equal now, a plain walk would come to the same frames, by the
 * induction of walk.h: each frame's rule depends on its pc and the generation of modules, its CFA
 * on sp or bp, the next pc, sp and bp on CFA and slots. So the frames' keys are the same, and so is
 * the context. Entries are made of those walks only that walk.h calls reusable: the thread's own
 * stack, whole, no frame guessed, realigned or of a signal.
 *
 * What may be read: an entry is compared only if it was made by the same thread with the same sp,
 * which lay in the thread's own stack; slots lie above sp and below that stack's upper end, so they
 * are mapped as long as the thread is.
 *
 * What makes an entry void: another generation of modules (dlclose), another owner of the shard
 * (memo_forget), its slots' place in the ring overwritten. `clear` and `reset-peak` do not:
 * contexts and cells stay, and a cell's stamp tells its generation. A forked child has shards of
 * its own.
 *
 * An entry that a longjmp out of a signal handler leaves half made is void, too (ring.h).
 */
#ifndef TRACESNAP_SHIM_MEMO_H
#define TRACESNAP_SHIM_MEMO_H

#include "shim/index_shadow.h"
#include "shim/modules.h"
#include "shim/ring.h"
#include "shim/walk.h"

#define MEMO_SETS_SHIFT 55
#define MEMO_SETS (1u << (64 - MEMO_SETS_SHIFT))
#define MEMO_PLACES_SHIFT 51
#define MEMO_PLACES (1u << (64 - MEMO_PLACES_SHIFT))
#define MEMO_WORDS 6 /* of the stack that are looked at to find the set */
#define MEMO_WAYS 4u
#define MEMO_SLOTS_MAX 2048u /* of one entry */

struct memo_entry {
    uintptr_t pc, sp;
    struct ring_slots slots; /* the position is stored last */
    /* Where there is a Python interpreter: how far its slots go (memo_slots_of). */
    union {
        struct ts_cell *cell;
        uintptr_t end;
    };
    uint32_t context;
    uint32_t generation; /* of modules */
    struct class_hint hint;
} __attribute__((aligned(64)));

/*
 * Which word of the stack to look at: its distance / 8, below, and for which sp / 8 that is known,
 * above; 0 = none. It is a slot of an entry of this thread with this sp, and may be read as those
 * may.
 */
#define MEMO_WORD_BITS 20
#define MEMO_WORD(sp, distance) ((uint64_t)(sp) >> 3 << MEMO_WORD_BITS | (distance) >> 3)
#define MEMO_WORD_DISTANCE(word) (((word) & ((1u << MEMO_WORD_BITS) - 1)) << 3)

struct memo {
    bool any_apart; /* some word of apart is set */
    /*
     * Many stacks may begin at the same pc and sp, below malloc's wrappers. apart[] is a tree of
     * the words that told them apart, flattened by hashing: at the hash of what is known so far
     * stands which word to look at next (MEMO_WORD), 0 = enough is known.
     */
    uint64_t apart[MEMO_PLACES];
    uint8_t crowded[MEMO_SETS]; /* how often stacks not told apart were in each other's way */
    uint8_t newest[MEMO_SETS];  /* the way that was found last */
    struct memo_entry entries[MEMO_SETS][MEMO_WAYS];
    struct ring ring;
};

/* Makes all entries void; also before the first use. */
void memo_forget(struct memo *memo);

/*
 * Makes an entry of the stack that walk_stack has just captured from start. Not of one that cannot
 * be remembered.
 */
void memo_add(struct memo *memo, const struct walk_start *start, const struct walk_frames *frames,
              uint32_t context, struct ts_cell *cell);

/*
 * The slots of a captured stack that a walk from the hook reads until it is about to leave frame
 * `from` (0 = to the end): where the frames further in return to, and the bp that those and this
 * one saved. Stacks that have them in common share them. False: the stack cannot be remembered.
 */
bool memo_slots_of(struct memo *memo, const struct walk_start *start,
                   const struct walk_frames *frames, uint32_t from, struct ring_slots *slots);

/* What is known of a stack before its slots are compared; the set is the upper part. */
static inline uint64_t memo_known(const struct memo *memo, const struct walk_start *start)
{
    uint64_t known = (start->pc ^ start->sp << 20) * UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < MEMO_WORDS; i++) {
        uint64_t word = memo->apart[known >> MEMO_PLACES_SHIFT];
        if (__builtin_expect(word >> MEMO_WORD_BITS != start->sp >> 3, 1))
            break;
        known = (known ^ stack_word(start->sp - RING_BELOW + MEMO_WORD_DISTANCE(word))) *
                UINT64_C(0xbf58476d1ce4e5b9);
    }
    return known;
}

static inline uint32_t memo_set(uint64_t known)
{
    return (uint32_t)(known >> MEMO_SETS_SHIFT);
}

static inline bool memo_begins(const struct memo_entry *entry, const struct walk_start *start)
{
    return ((entry->pc ^ start->pc) | (entry->sp ^ start->sp)) == 0;
}

static inline bool memo_is(const struct memo *memo, const struct memo_entry *entry,
                           const struct walk_start *start, uint32_t generation)
{
    return memo_begins(entry, start) && entry->generation == generation &&
           !ring_is_void(&memo->ring, entry->slots.position) &&
           ring_same(&memo->ring, entry->sp, entry->slots);
}

/* The entry of this very stack, if it is the one that was found last in its set; else NULL. */
static inline __attribute__((always_inline)) struct memo_entry *
memo_find_last(struct memo *memo, const struct walk_start *start)
{
    uint32_t set = memo_set(memo_known(memo, start));
    struct memo_entry *entry = &memo->entries[set][memo->newest[set]];
    return memo_is(memo, entry, start, ts_load_acquire(&module_generation)) ? entry : NULL;
}

/* The entry of this very stack, or NULL. */
struct memo_entry *memo_find(struct memo *memo, const struct walk_start *start);

#endif

/*
 * The walk by our own rules, from the innermost frame to where the last stack is met again. A frame
 * that no rule expresses (RULE_ODD) sends the whole capture to libunwind; code without unwind
 * information is passed by its frame pointer where that looks like one, else the stack ends there
 * with a mark.
 */
#include "shim/walk.h"
#include "region/hash.h"
#include "region/key.h"
#include "shim/libunwind.h"
#include "shim/machine.h"
#include "shim/modules.h"
#include "shim/options.h"
#include "shim/region.h"
#include "shim/rules.h"
#include "shim/stack.h"

#include <errno.h>

/* Bytes. How far rbp may be believed on a stack whose upper end nobody knows: what adjoins there
 * may be unmapped at any moment. */
#define GUESSED_FRAME_MAX 16384

enum step { STEP_ON, STEP_ROOT, STEP_LOST, STEP_ODD };

struct state {
    uintptr_t pc, sp, bp;
    bool exact; /* pc was interrupted by a signal: it is no return address */
    struct stack_view view;
};

static enum step return_from(struct state *state, uintptr_t cfa)
{
    state->pc = stack_word(cfa - 8);
    state->sp = cfa;
    state->exact = false;
    return state->pc == 0 ? STEP_ROOT : STEP_ON;
}

/*
 * Code without rules: is rbp the frame pointer of the usual prologue? Believed if it returns into
 * code. Zero marks the outermost frame (System V ABI, AMD64 supplement, 3.4.1): the entry code of
 * the loader and of some programs has no rules.
 */
static enum step guess(struct state *state)
{
    uintptr_t cfa = state->bp + 16;
    if (state->bp == 0)
        return STEP_ROOT;
    if (state->bp < state->sp ||
        (!stack_is_own(state->view.thread, state->bp) &&
         state->bp - state->sp > GUESSED_FRAME_MAX) ||
        !stack_readable(&state->view, state->bp) || !stack_readable(&state->view, state->bp + 8))
        return STEP_LOST;
    uintptr_t to = stack_word(state->bp + 8);
    bool generated = modules_find(state->pc) == 0; /* a JIT calls its own code, too */
    if (to < 4096 || (modules_find(to - 1) == 0 && !(generated && to >> 32 == state->pc >> 32)))
        return STEP_LOST;
    state->bp = stack_word(state->bp);
    region_gauge(TS_GAUGE_GUESSED, 1);
    return return_from(state, cfa);
}

static enum step leave_signal(struct state *state)
{
    uintptr_t frame = state->sp;
    if (!stack_readable(&state->view, frame + MACHINE_SIGNAL_RBP) ||
        !stack_readable(&state->view, frame + MACHINE_SIGNAL_RSP) ||
        !stack_readable(&state->view, frame + MACHINE_SIGNAL_PC))
        return STEP_LOST;
    state->bp = stack_word(frame + MACHINE_SIGNAL_RBP);
    state->sp = stack_word(frame + MACHINE_SIGNAL_RSP);
    state->pc = stack_word(frame + MACHINE_SIGNAL_PC);
    state->exact = true;
    stack_move(&state->view, state->sp); /* if not: it is known, at least, what was interrupted */
    return state->pc == 0 ? STEP_ROOT : STEP_ON;
}

/* An ordinary frame whose slots may lie outside the view: widens it or gives up. */
static __attribute__((noinline)) enum step follow_widening(struct state *state, packed_rule rule)
{
    enum rule_kind kind = packed_kind(rule);
    uintptr_t cfa = (kind == RULE_RSP ? state->sp : state->bp) + (uintptr_t)packed_cfa_offset(rule);
    if (kind == RULE_DEREF) {
        if (!stack_readable(&state->view, cfa))
            return STEP_LOST;
        cfa = stack_word(cfa);
    }
    if (cfa <= state->sp || !stack_readable(&state->view, cfa - 8))
        return STEP_LOST;
    if (packed_rbp_saved(rule)) {
        uintptr_t slot =
            (packed_rbp_by_rbp(rule) ? state->bp : cfa) + (uintptr_t)packed_rbp_offset(rule);
        if (!stack_readable(&state->view, slot))
            return STEP_LOST;
        state->bp = stack_word(slot);
    }
    return return_from(state, cfa);
}

static __attribute__((noinline)) enum step advance_specially(struct state *state, packed_rule rule)
{
    switch (packed_kind(rule)) {
    case RULE_RSP:
    case RULE_RBP:
    case RULE_DEREF: return follow_widening(state, rule);
    case RULE_SIGNAL: return leave_signal(state);
    case RULE_END: return STEP_ROOT;
    case RULE_ODD: return STEP_ODD;
    default: return guess(state);
    }
}

/* In [low, low + size), and a multiple of 8. */
static inline bool in_view(uintptr_t address, uintptr_t low, uintptr_t size)
{
    return address - low < size && (address & 7) == 0;
}

/*
 * Whether frames `from` to 0 of the last stack are those of this one: compares their slots
 * (walk.h). On failure *from is the greatest index that a later attempt may still succeed at.
 */
static inline bool same_from(const struct walk_state *state, int32_t *from)
{
    for (int32_t i = *from; i > 0; i--) {
        uintptr_t slot = state[i].bp_slot & ~(uintptr_t)WALK_BP_NEEDED;
        if (stack_word(state[i - 1].sp - 8) != state[i - 1].pc ||
            (slot != 0 && stack_word(slot) != state[i - 1].bp)) {
            *from = i - 1;
            return false;
        }
    }
    return true;
}

/*
 * The inner loop. The ordinary frame, whose CFA is rsp or rbp plus a constant and whose slots lie
 * in the part of the stack known to be readable, is followed in registers; the rest goes through
 * struct state. Ends early where the last stack can be taken over: *kept is then the number of its
 * frames.
 */
static enum step walk_by_rules(struct thread *thread, const struct walk_start *start,
                               struct walk_frames *frames, uint32_t *fresh, uint32_t *kept)
{
    struct stack_view view;
    uintptr_t pc = start->pc, sp = start->sp, bp = start->bp;
    uint32_t count = 0, limit = options.depth, generation = ts_load_acquire(&module_generation);
    enum step step = STEP_ON;
    bool exact = false, ordinary = stack_begin(&view, thread, sp - 16);
    const struct walk_state *last = frames->state;
    int32_t candidate = ordinary && frames->reusable && frames->generation == generation &&
                                frames->stop == frames->stopped
                            ? (int32_t)frames->count - 1
                            : -1;
    uintptr_t stop = frames->stop != 0 ? frames->stop : UINTPTR_MAX;
    uintptr_t low = view.low, size = view.size;
    frames->checked = UINT32_MAX;
    frames->generation = generation;
    *kept = 0;
    while (count < limit) {
        while (candidate >= 0 && last[candidate].sp < sp)
            candidate--;
        if (candidate >= 0 && last[candidate].sp == sp && last[candidate].pc == pc &&
            (last[candidate].bp == bp || !(last[candidate].bp_slot & WALK_BP_NEEDED)) &&
            count + (uint32_t)candidate < limit && same_from(last, &candidate)) {
            *kept = (uint32_t)candidate + 1;
            step = STEP_ROOT;
            break;
        }
        struct rule_entry entry = rules_find(pc, exact, generation);
        enum rule_kind kind = packed_kind(entry.rule);
        uintptr_t cfa = (kind == RULE_RSP ? sp : bp) + (uintptr_t)packed_cfa_offset(entry.rule);
        uintptr_t slot = cfa + (uintptr_t)packed_rbp_offset(entry.rule);
        bool saved = packed_rbp_saved(entry.rule);
        frames->fresh_keys[count] = entry.key;
        frames->fresh[count] =
            (struct walk_state){pc, sp, bp, (saved ? slot : 0) | (kind == RULE_RBP)};
        count++;
        if (__builtin_expect((kind == RULE_RSP || kind == RULE_RBP) && cfa > sp &&
                                 in_view(cfa - 8, low, size) && packed_is_plain(entry.rule) &&
                                 (!saved || in_view(slot, low, size)),
                             1)) {
            pc = stack_word(cfa - 8);
            sp = cfa;
            if (saved)
                bp = stack_word(slot);
            exact = false;
            if (__builtin_expect(pc == 0, 0)) {
                step = STEP_ROOT;
                ordinary = false; /* that zero would have to be compared, too */
            } else if (__builtin_expect(cfa > stop, 0)) {
                step = STEP_ROOT;
            }
        } else {
            struct state slow = {pc, sp, bp, exact, {low, size, thread}};
            step = advance_specially(&slow, entry.rule);
            if (kind == RULE_NONE && frames->checked == UINT32_MAX)
                frames->checked = count;
            ordinary = ordinary && kind == RULE_END;
            candidate = -1;
            frames->fresh[count - 1].bp_slot = 0;
            pc = slow.pc, sp = slow.sp, bp = slow.bp, exact = slow.exact;
            low = slow.view.low, size = slow.view.size;
        }
        if (__builtin_expect(step != STEP_ON, 0))
            break;
    }
    frames->reusable = ordinary && step == STEP_ROOT;
    frames->stopped = frames->stop;
    *fresh = count;
    return step;
}

/*
 * Frames by libunwind, with keys by the same rules as ours: the frame further out than a signal's
 * is the one that it interrupted. Where there is no unwind information libunwind would try what may
 * be no frame at all: the stack ends there. STEP_ODD: libunwind could not be asked.
 */
static enum step walk_by_libunwind(struct thread *thread, const struct walk_start *start,
                                   struct walk_frames *frames, uint32_t *fresh)
{
    int kept_errno = errno;
    region_gauge(TS_GAUGE_ODD_FRAMES, 1);
    bool lost = false, walked = libunwind_walk(thread, start, frames, fresh, &lost);
    errno = kept_errno;
    if (!walked)
        return STEP_ODD;
    uint32_t generation = ts_load_acquire(&module_generation);
    bool exact = false;
    enum rule_kind kind = RULE_NONE;
    for (uint32_t i = 0; i < *fresh; i++) {
        struct rule_entry entry = rules_find(frames->fresh[i].pc, exact, generation);
        frames->fresh_keys[i] = entry.key;
        kind = packed_kind(entry.rule);
        exact = kind == RULE_SIGNAL;
        if (kind == RULE_NONE) {
            *fresh = i + 1;
            return STEP_LOST;
        }
    }
    if (lost && kind != RULE_END)
        return STEP_LOST;
    return *fresh < options.depth ? STEP_ROOT : STEP_ON;
}

static void mark(struct walk_frames *frames, uint32_t *fresh, enum ts_mark why, enum ts_drop drop)
{
    frames->fresh_keys[*fresh] = ts_key(TS_FRAME_MARK, 0, why);
    frames->fresh[(*fresh)++] = (struct walk_state){0, 0, 0, 0};
    region_drop(drop);
}

/* Puts the fresh frames onto the kept ones, outermost first. */
static inline void append(struct walk_frames *frames, uint32_t kept, uint32_t fresh)
{
    uint64_t prefix = kept > 0 ? frames->path[kept - 1].prefix : TS_HASH_ROOT;
    uintptr_t needed = kept > 0 ? frames->state[kept - 1].bp_slot & WALK_BP_NEEDED : 0;
    uint32_t count = kept;
    while (fresh-- > 0) {
        struct walk_state state = frames->fresh[fresh];
        uintptr_t slot = state.bp_slot & ~(uintptr_t)WALK_BP_NEEDED;
        /* bp is needed if this frame's CFA comes from it, or if it is passed on and needed further
         * out. */
        uintptr_t passed_on = slot == 0 ? needed : 0;
        state.bp_slot = (needed ? slot : 0) | (state.bp_slot & WALK_BP_NEEDED) | passed_on;
        needed = state.bp_slot & WALK_BP_NEEDED;
        prefix = ts_hash_step(prefix, frames->fresh_keys[fresh]);
        frames->path[count] = (struct walk_path){frames->fresh_keys[fresh], prefix, 0};
        frames->state[count++] = state;
    }
    frames->count = count;
}

/* What is not an ordinary stack: libunwind's part, and why a stack ends. */
static __attribute__((noinline)) void finish_specially(struct thread *thread,
                                                       const struct walk_start *start,
                                                       struct walk_frames *frames, enum step step,
                                                       uint32_t *fresh)
{
    if (step == STEP_ODD) {
        uint32_t reached = *fresh, kept;
        step = walk_by_libunwind(thread, start, frames, fresh);
        if (step == STEP_ODD) {
            walk_by_rules(thread, start, frames, fresh,
                          &kept); /* libunwind may have spoiled them */
            *fresh = reached;
        }
    }
    frames->complete = step == STEP_ROOT;
    if (step == STEP_ON)
        mark(frames, fresh, TS_MARK_CUT, TS_DROP_DEPTH_CUT);
    else if (step != STEP_ROOT)
        mark(frames, fresh, TS_MARK_NO_UNWIND, TS_DROP_NO_UNWIND);
}

void walk_stack(struct thread *thread, const struct walk_start *start, struct walk_frames *frames)
{
    uint32_t fresh, kept;
    enum step step = walk_by_rules(thread, start, frames, &fresh, &kept);
    frames->complete = true;
    if (__builtin_expect(step != STEP_ROOT, 0))
        finish_specially(thread, start, frames, step, &fresh);
    frames->kept = kept;
    append(frames, kept, fresh);
    if (__builtin_expect(options.verify, 0))
        libunwind_verify(start, frames);
}

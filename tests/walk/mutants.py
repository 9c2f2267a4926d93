#!/usr/bin/env python3
"""Can walk_test fail? Breaks the shim in one place at a time, in a copy, and runs the random stacks until they notice.

    tests/walk/mutants.py [SEEDS [NAME]...]

For each mutant: the plan and the seed that caught it, or "NOT CAUGHT" after SEEDS seeds (default 5) of all plans. A
mutant whose place is not in the source any more is an error: adapt it. Exit status 1 if any is not caught.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import walk
from copy_of_tree import Copy

# Name: (file, what stands there, what is put there instead)
MUTANTS = {
    "last-stack-any-bp-slot": ("walk.c", "(slot != 0 && stack_word(slot) != state[i - 1].bp)", "(slot == 1)"),
    "last-stack-any-return-address": ("walk.c", "stack_word(state[i - 1].sp - 8) != state[i - 1].pc ||", ""),
    "last-stack-any-slot": ("walk.c", "for (int32_t i = *from; i > 0; i--) {", "for (int32_t i = 0; i > 0; i--) {"),
    "last-stack-any-pc": ("walk.c", " && last[candidate].pc == pc &&", " &&"),
    "last-stack-any-bp": (
        "walk.c",
        "(last[candidate].bp == bp || !(last[candidate].bp_slot & WALK_BP_NEEDED))",
        "true",
    ),
    "last-stack-any-generation": (
        "walk.c",
        "frames->reusable && frames->generation == generation",
        "frames->reusable",
    ),
    "last-stack-too-deep": ("walk.c", "count + (uint32_t)candidate < limit && same_from", "same_from"),
    "stack-foreign-is-own": (
        "stack.c",
        "        if (!sys_readable(page))\n            return false;\n    return true;",
        "        if (page == 0)\n            return false;\n    return true;",
    ),
    "stack-never-tried": ("stack.c", "if (address < PAGE || !sys_readable(page))", "if (address < PAGE)"),
    "last-stack-unusual-frames": ("walk.c", "ordinary = ordinary && kind == RULE_END;", ""),
    "last-stack-cut": ("walk.c", "frames->reusable = ordinary && step == STEP_ROOT;", "frames->reusable = ordinary;"),
    "last-stack-bp-not-passed-on": (
        "walk.c",
        "uintptr_t passed_on = slot == 0 ? needed : 0;",
        "uintptr_t passed_on = 0;",
    ),
    "last-stack-bp-never-needed": ("walk.c", "(saved ? slot : 0) | (kind == RULE_RBP)", "(saved ? slot : 0)"),
    "append-forgets-kept-prefix": (
        "walk.c",
        "kept > 0 ? frames->path[kept - 1].prefix : TS_HASH_ROOT",
        "TS_HASH_ROOT",
    ),
    "signal-pc-inexact": ("walk.c", "state->exact = true;", "state->exact = false;"),
    "guess-bp-not-restored": ("walk.c", "    state->bp = stack_word(state->bp);\n", ""),
    "bp-not-restored": ("walk.c", "            if (saved)\n                bp = stack_word(slot);\n", ""),
    "rules-any-generation": (
        "rules.h",
        "(uint16_t)(found.size >> RULES_GENERATION_SHIFT) ==\n                                     (uint16_t)generation",
        "1",
    ),
    "rules-exact-as-call": (
        "rules.h",
        "return (uint64_t)pc << 16 | (uint64_t)exact << 15;",
        "return (uint64_t)pc << 16;",
    ),
    "rules-call-as-exact": ("rules.c", "uintptr_t place = exact ? pc : pc - 1;", "uintptr_t place = pc;"),
    "rules-no-end-of-stack": ("rules.c", "rule.kind = RULE_END;", "rule.kind = RULE_NONE;"),
    "rules-narrow-cfa": ("rules.h", "(rule << 40) >> 37", "(rule << 56) >> 53"),
    "cfi-restore-state": ("cfi.c", "m->row = m->remembered[--m->depth];", "--m->depth;"),
    "cfi-row-too-far": ("cfi.c", "m->location > m->pc)", "m->location > m->pc + 1)"),
    "cfi-row-too-early": ("cfi.c", "m->location > m->pc)", "m->location >= m->pc)"),
    "cfi-rbp-by-rbp": ("cfi.c", "rule.rbp_by_rbp = row->rbp.how == HOW_AT_RBP;", ""),
    "dlclose-keeps-generation": (
        "modules.c",
        "ts_add_acq_rel(&module_generation, 1)",
        "ts_add_acq_rel(&module_generation, 0)",
    ),
    "path-of-leaf-alone": (
        "walk.c",
        "ts_hash_step(prefix, frames->fresh_keys[fresh])",
        "ts_hash_step(TS_HASH_ROOT, frames->fresh_keys[fresh])",
    ),
    "memo-any-slot": ("memo.h", "if ((a | b | c | d) != 0)", "if ((a & b & c & d) == 1)"),
    "memo-one-slot-in-four": ("memo.h", "if ((a | b | c | d) != 0)", "if ((a | b | c) != 0)"),
    "memo-any-pc": ("memo.h", "(entry->pc ^ start->pc) | ", ""),
    "memo-any-sp": ("memo.h", "(entry->sp ^ start->sp)", "0"),
    "memo-any-bp": ("memo.h", "((entry->bp ^ start->bp) & -(uintptr_t)entry->bp_needed)", "0"),
    "memo-any-generation": ("memo.h", "&& entry->generation == generation &&", "&&"),
    "memo-never-void": ("memo.h", "return entry->position + MEMO_RING < memo->head;", "return entry->position == 0;"),
    "memo-no-bp-slots": (
        "memo.c",
        "        if (slot != 0)\n            write_slot(memo, at++, slot - sp, state[i - 1].bp);\n",
        "        if (slot != 0)\n            write_slot(memo, at++, state[i - 1].sp - 8 - sp, state[i - 1].pc);\n",
    ),
    "memo-of-any-stack": ("memo.c", "if (!frames->reusable || slots == 0)", "if (slots == 0)"),
    "memo-skip-first-slot": (
        "memo.h",
        "uint64_t a = stack_word(sp + distance[i]) ^ value[i];",
        "uint64_t a = i == 0 ? 0 : stack_word(sp + distance[i]) ^ value[i];",
    ),
    "memo-skip-last-four": ("memo.h", "i < entry->count; i += 4", "i + 4 < entry->count; i += 4"),
    "memo-bp-never-needed": ("memo.c", ".bp_needed = needed,", ".bp_needed = 0,"),
    "memo-forget-nothing": ("memo.c", "memo->head += MEMO_RING + 1;", "memo->head += memo->head == 0;"),
    "memo-keeps-at-claim": ("counters.c", "    memo_forget(&shard->memo);\n", ""),
    "last-stack-kept-at-claim": ("counters.c", "    shard->frames.reusable = false;", "    "),
    "memo-void-too-late": ("memo.h", "entry->position + MEMO_RING < memo->head", "entry->position + MEMO_RING + 64 < memo->head"),
    "memo-generation-of-now": (
        "memo.c",
        ".generation = frames->generation};",
        ".generation = ts_load_acquire(&module_generation) + (frames->generation & 0)};",
    ),
    "memo-other-entrys-context": (
        "record.c",
        "    *context = known->context;\n",
        "    *context = (known - ((known - &shard->memo.entries[0][0]) & 1))->context;\n",
    ),
    "memo-not-forgotten-in-thread": ("memo.h", "start->sp - 16 - low >= thread->stack_high - low", "start->sp == 0"),
    "memo-no-start-of-other": ("memo.c", "if (memo_is(memo, entry, start, generation)) {", "if (entry->position != 0 && !memo_is_void(memo, entry) && memo_same_slots(memo, entry)) {"),
    "memo-room-not-taken": ("memo.c", "memo->head = position + count;", "memo->head = position + count - 4;"),
    "memo-over-the-end": ("memo.c", "if (position % MEMO_RING + count > MEMO_RING)", "if (position % MEMO_RING + count > MEMO_RING + 8)"),
    "memo-wrong-cell": ("record.c", "return known->cell;", "return known->cell + (known->context % TS_CHUNK_CELLS == 3);"),
    "index-second-word-not-written": (
        "index_shadow.h",
        "    ts_store_relaxed(slot + 1, (uint32_t)(block >> SHADOW_BITS) << 1);\n",
        "",
    ),
    "index-second-word-not-cleared": ("index.h", "        ts_store_relaxed(slot + 1, 0);", "        ;"),
    "index-start-bit-ignored": (
        "index_shadow.h",
        "return (word & (SHADOW_START | 3u << 2)) == (SHADOW_START | SHADOW_PLACE(address));",
        "return (word & 3u << 2) == SHADOW_PLACE(address);",
    ),
    "index-place-ignored": (
        "index_shadow.h",
        "return (word & (SHADOW_START | 3u << 2)) == (SHADOW_START | SHADOW_PLACE(address));",
        "return (word & SHADOW_START) != 0 && address != 0;",
    ),
    "index-slot-of-another-taken": ("index.h", "if (ts_load_relaxed(slot) != 0)\n        return false;", ""),
    "index-second-of-another-taken": ("index.h", "!(ts_load_relaxed(slot + 1) & SHADOW_START)", "true"),
    "index-over-the-leaf": (
        "index.h",
        "(address + (1u << shadow.granule_shift)) >> SHADOW_LEAF_BITS ==\n                         address >> SHADOW_LEAF_BITS",
        "address != 0",
    ),
    "index-size-of-hint-ignored": ("index.h", "hint->size == block->size && ", ""),
    "class-hash-without-generation": ("classes.c", "ts_hash_mix(block)", "ts_hash_mix(block & ~UINT64_C(0x7fff))"),
    "class-hash-without-size": ("classes.c", "ts_hash_mix(block)", "ts_hash_mix(block & ~(UINT64_C(0x3ffff) << 15))"),
    "libunwind-reads-near-the-end": ("libunwind.c", "address < high && high - address >= 8", "address + 8 <= high"),
    "libunwind-signals-inexact": ("walk.c", "exact = packed_kind(entry.rule) == RULE_SIGNAL;", ""),
    "libunwind-goes-on-without-rules": ("walk.c", "if (packed_kind(entry.rule) == RULE_NONE) {", "if (false) {"),
}


TARGETS = ("libtracesnap.la", "tools/tracesnap")


def caught_by(program, seeds):
    """(plan, seed, first line of what it said) or None."""
    for seed in range(1, seeds + 1):
        for name in walk.PLANS:
            try:
                walk.run_plan(program, name, seed)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                return name, seed, str(error).splitlines()[0][:100]
    return None


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    unknown = [name for name in sys.argv[2:] if name not in MUTANTS]
    if unknown:
        print(f"mutants.py: no mutant '{unknown[0]}': see MUTANTS", file=sys.stderr)
        return 2
    missed = stale = 0
    with tempfile.TemporaryDirectory(prefix="tracesnap-mutants-") as temporary:
        copy = Copy(walk.tracesnap.SOURCE, temporary)
        copy.make(*TARGETS)
        os.environ["TRACESNAP_LIB"] = str(copy.build / ".libs" / "libtracesnap.so")
        walk.use_shim(os.environ["TRACESNAP_LIB"])
        program = walk.build(copy.build / "tests" / "walk")
        sound = caught_by(program, 1)
        if sound:
            print(f"the shim as it is fails: {sound}")
            return 1
        for name, mutant in MUTANTS.items():
            if sys.argv[2:] and name not in sys.argv[2:]:
                continue
            undo = copy.mutate(f"shim/{mutant[0]}", *mutant[1:])
            if undo is None:
                stale += 1
                print(f"{name:32} STALE: not in shim/{mutant[0]}: {mutant[1]!r}", flush=True)
                continue
            copy.make(*TARGETS)
            found = caught_by(program, seeds)
            undo()
            missed += found is None
            said = f"seed {found[1]} of {found[0]!r}: {found[2]}" if found else "NOT CAUGHT"
            print(f"{name:32} {said}", flush=True)
    print(f"{missed} not caught, {stale} stale")
    return 1 if missed or stale else 0


sys.exit(main())

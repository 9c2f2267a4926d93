#!/usr/bin/env python3
"""Can walk_test fail? Breaks the shim in one place at a time, in a copy, and runs the random stacks until they notice.

    tests/walk/mutants.py [SEEDS [NAME]...]

For each mutant: the plan and the seed that caught it, or "NOT CAUGHT" after SEEDS seeds (default 5) of all plans. A
mutant whose place is not in the source any more is an error: adapt it. Exit status 1 if any is not caught.

Not here is what cannot change a stack or a count of this program, only its time or its memory's safety:
- what a thread remembers, kept for the next one in its shard: slots are compared from the innermost on, so that a stack that
  is another differs before the comparison leaves it;
- a thread's own control word: where it is of before, the cell's is, too;
- the second word of a wide block, left behind: the next block there goes to the large table;
- of two blocks in one granule, which only pymalloc has: tests/guards/python.py; of blocks whose free was missed: missed_frees_test;
- of a block across two leaves of the index: its second word would lie where nobody looks.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import walk
from copy_of_tree import Copy

# Name: (file, what stands there, what is put there instead, perhaps more such pairs)
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
    "path-keeps-nodes-of-other-frames": (
        "walk.c",
        "(struct walk_path){frames->fresh_keys[fresh], prefix, 0}",
        "(struct walk_path){frames->fresh_keys[fresh], prefix, frames->path[count].node}",
    ),
    "nodes-by-key-alone": (
        "nodes.c",
        "node->parent == parent && ts_load_relaxed(&node->key) == key",
        "ts_load_relaxed(&node->key) == key",
        "key ^ (uint64_t)parent << 32",
        "key",
    ),
    "nodes-by-parent-alone": (
        "nodes.c",
        "node->parent == parent && ts_load_relaxed(&node->key) == key",
        "node->parent == parent",
        "key ^ (uint64_t)parent << 32",
        "(uint64_t)parent << 32",
    ),
    "nodes-by-hash-alone": (
        "nodes.c",
        "return node != NULL && node->parent == parent && ts_load_relaxed(&node->key) == key;",
        "return node != NULL;",
    ),
    "ring-any-slot": (
        "ring.h",
        "for (; distance != end; distance += RING_AT_ONCE, value += RING_AT_ONCE)",
        "for (; distance == end + 1; distance += RING_AT_ONCE, value += RING_AT_ONCE)",
    ),
    "ring-first-of-four-skipped": ("ring.h", "stack_word(base + distance[0]) != value[0] ||", ""),
    "ring-last-of-four-skipped": (
        "ring.h",
        "value[2] ||\n                                 stack_word(base + distance[3]) != value[3],",
        "value[2],",
    ),
    "ring-last-four-skipped": (
        "ring.h",
        "end = distance + slots.count;",
        "end = distance + slots.count - (slots.count > RING_AT_ONCE ? RING_AT_ONCE : 0);",
    ),
    "ring-never-void": ("ring.h", "return position + RING_SLOTS < ring->head;", "return position == 0;"),
    "ring-void-too-late": ("ring.h", "return position + RING_SLOTS <", "return position + RING_SLOTS + 64 <"),
    "ring-room-not-taken": ("ring.h", "ring->head = slots.position + slots.count;", "ring->head = slots.position + slots.count - 4;"),
    "ring-over-the-end": ("ring.h", "+ slots.count > RING_SLOTS)", "+ slots.count > RING_SLOTS + 8)"),
    "memo-any-pc": ("memo.h", "(entry->pc ^ start->pc) | ", "", "(start->pc ^ start->sp << 20)", "(start->sp << 20)"),
    "memo-any-sp": ("memo.h", "(entry->sp ^ start->sp)", "0"),
    "memo-any-bp": ("memo.c", "ring_write(&memo->ring, at++, RING_BP, start->bp);", "at = at;"),
    "memo-bp-never-needed": ("memo.c", "return frames->state[frames->count - 1].bp_slot & WALK_BP_NEEDED;", "return 0;"),
    "memo-no-bp-slots": (
        "memo.c",
        "ring_write(&memo->ring, at++, saved_bp(&state[i]) - base, state[i - 1].bp);",
        "ring_write(&memo->ring, at++, state[i - 1].sp - 8 - base, state[i - 1].pc);",
    ),
    "memo-any-generation": ("memo.h", "&& entry->generation == generation &&", "&&"),
    "memo-of-any-stack": (
        "memo.c",
        "if (!frames->reusable || count == TOO_MANY)",
        "if (count == TOO_MANY)",
        "    if (!frames->reusable)\n        return NULL;\n",
        "",
    ),
    "memo-other-entrys-context": (
        "record.c",
        "known->cell, &known->context,",
        "known->cell, &(known - ((known - &shard->memo.entries[0][0]) & 1))->context,",
    ),
    "memo-no-start-of-other": (
        "memo.c",
        "if (memo_is(memo, entry, start, generation)) {",
        "if (entry->generation == generation && !ring_is_void(&memo->ring, entry->slots.position) &&\n"
        "            ring_same(&memo->ring, start->sp, entry->slots)) {",
    ),
    "memo-wrong-cell": (
        "record.c",
        "known->cell, &known->context,",
        "known->cell + (known->context % TS_CHUNK_CELLS == 3), &known->context,",
    ),
    "usual-control-of-before": ("record_usual.h", "likely(thread->control == control) ? control : 0", "thread->control"),
    "usual-any-cell-is-current": ("record_usual.h", "likely(ts_load_relaxed(&cell->stamp) == control)", "cell->stamp != control + 1"),
    "usual-size-of-hint-ignored": ("record_usual.h", "hint->size == size && ", ""),
    "free-any-era": ("record_usual.h", "(word & SHADOW_ERA_BITS) == shadow_era(control)", "control != 0"),
    "free-any-generation": ("record_usual.h", "block.generation == TS_CONTROL_GENERATION(control) ?", "control != 0 ?"),
    "free-always-of-long-ago": ("index_shadow.h", "uint32_t ago = (now - (word >> 4)) & SHADOW_ERA_MASK;", "uint32_t ago = 0;"),
    "class-cell-of-any-class": ("counters.h", "known->class == class, 1)", "known->class != 0, 1)"),
    "class-cell-size-of-before": ("counters.c", "    ts_store_release(&known->size, (uint32_t)block.size);\n", ""),
    "class-cell-of-before": (
        "counters.c",
        "    ts_store_release(&known->cell, cell);\n",
        "    ts_store_release(&known->cell, known->cell != NULL ? known->cell : cell);\n",
    ),
    "index-second-word-not-written": (
        "index_shadow.h",
        "    ts_store_relaxed(slot + 1, (uint32_t)(packed >> SHADOW_BITS) << 1);\n",
        "",
    ),
    "class-hash-without-size": ("classes.c", "ts_hash_mix(block)", "ts_hash_mix(block & ~(UINT64_C(0x3ffff) << 15))"),
    "libunwind-reads-near-the-end": ("libunwind.c", "address < high && high - address >= 8", "address + 8 <= high"),
    "libunwind-signals-inexact": ("walk.c", "exact = kind == RULE_SIGNAL;", ""),
    "libunwind-goes-on-without-rules": ("walk.c", "if (kind == RULE_NONE) {", "if (false) {"),
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
                print(f"{name:32} STALE: not in shim/{mutant[0]}: {' or '.join(map(repr, mutant[1::2]))}", flush=True)
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

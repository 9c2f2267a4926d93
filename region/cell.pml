/*
 * Model of the counters' protocol (struct ts_cell and the control word in layout.h): the writer's
 * half is shim/counters.h and cell_refresh in shim/counters.c, the reader's tools/source/cells.c.
 * For spin:
 *
 *     spin -a cell.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 *
 * One context, two threads with a cell each. The first allocates two blocks; the second frees one of
 * them, if it got it in time. A command comes (-DCLEAR: clear, else a new peak)
 * at any moment, -DCOMMANDS of them. A reader in another process reads once. Any thread may stop for
 * ever at any step (after a SIGKILL all have, and the reader comes then, too). What is found out, if
 * the reader found one control word before and after:
 *  - nothing is seen freed that is not seen allocated;
 *  - what was counted when the reader began is seen, and nothing that was never counted;
 *  - the peak is what was live at the command, but for operations that were under way then;
 *  - nobody waits.
 *
 * A pair is one access, as the 16 bytes are; count and bytes go together and are one number here.
 *
 * Memory order: x86. A thread's stores go through a buffer (chan), from which others see them one by
 * one in their order, later than the thread's own next loads; what it loads of its own cell, which
 * nobody else writes, it has from there. Commands are compare-and-swaps: seen at once. A killed
 * thread's stores are seen. Loads are in their order.
 *
 * With -DNO_... a guard is gone, and spin must find an error: tests/proof/model_test.py.
 */
#ifndef COMMANDS
#define COMMANDS 1
#endif
/* The control word: generation * 4 + epoch. */
#define GENERATION(word) ((word) / 4)

#define ALLOCATED 0 /* fields of a cell */
#define FREED 1
#define PEAK 2
#define STAMP 3
#define HAND 4      /* the program's own: the block is the second thread's now; generation + 1 */

#define FIELD(w, f) cell[(w) * 4 + (f)]
short cell[8]; /* one thread's peak may be below zero: it frees what another allocated */
byte control;
byte handed;
chan buffer[2] = [2] of { byte, short };

/* What is true, for the assertions: by generation; an operation counts when others see it. */
byte born[3], gone[3];
byte live_at_command, under_way_at_command, under_way;

#define STEP(what...) atomic { if :: true -> what :: true -> goto dead fi }
#define STORE(field, v) STEP(buffer[w]!field, v)

/* A thread's stores become visible. */
active [2] proctype drain()
{
    byte field;
    short v;
end:
    do
    :: atomic {
        buffer[_pid]?field, v;
        if
        :: field == HAND -> handed = v
        :: else ->
            if
            :: field == ALLOCATED && v > FIELD(_pid, ALLOCATED) ->
                born[GENERATION(FIELD(_pid, STAMP))] = born[GENERATION(FIELD(_pid, STAMP))] + 1;
                under_way--
            :: field == FREED && v > FIELD(_pid, FREED) ->
                gone[GENERATION(FIELD(_pid, STAMP))] = gone[GENERATION(FIELD(_pid, STAMP))] + 1;
                under_way--
            :: else
            fi;
            FIELD(_pid, field) = v
        fi;
        field = 0; v = 0 }
    od
}

/* cell_prepare and cell_refresh, for the control word that the thread has loaded. */
inline prepare()
{
    if
    :: stamp != word ->
        peak = allocated - freed;
#ifdef NO_STAMP_LAST
        STORE(STAMP, word);
#endif
        if
        :: GENERATION(stamp) != GENERATION(word) ->
            atomic { allocated = 0; freed = 0; peak = 0 };
            STORE(ALLOCATED, 0);
            STORE(FREED, 0)
        :: else
        fi;
#ifndef NO_PEAK
        STORE(PEAK, peak);
#endif
#ifndef NO_STAMP_LAST
        STORE(STAMP, word);
#endif
        stamp = word
    :: else
    fi
}

inline allocate()
{
    STEP(word = control; under_way++);
    prepare();
    allocated++;
    STORE(ALLOCATED, allocated)
}

proctype first()
{
    byte w = 0, word, stamp, allocated, freed;
    short peak;
    allocate();
    STORE(HAND, GENERATION(word) + 1);
    allocate();
dead:
    atomic { word = 0; stamp = 0; allocated = 0; freed = 0; peak = 0 }
}

proctype second()
{
    byte w = 1, word, stamp, allocated, freed, block;
    short peak;
    STEP(block = handed);
    if
    :: block != 0 ->
        STEP(word = control; under_way++);
        if
        :: GENERATION(word) + 1 == block -> /* else it was allocated before a clear */
            prepare();
            freed++;
            STORE(FREED, freed)
        :: else -> under_way--
        fi
    :: else
    fi;
dead:
    atomic { word = 0; stamp = 0; allocated = 0; freed = 0; peak = 0; block = 0 }
}

proctype commander()
{
    byte n;
    do
    :: n < COMMANDS ->
        atomic {
            n++;
#ifdef CLEAR
            control = (GENERATION(control) + 1) * 4 + control % 4 + 1;
#else
            control++;
#endif
            live_at_command = born[GENERATION(control)] - gone[GENERATION(control)];
            under_way_at_command = under_way
        }
    :: else -> break
    od
}

#ifdef NO_SECOND_STAMP
#define UNLESS_STAMP_CHANGED(n) true
#else
#define UNLESS_STAMP_CHANGED(n) stamp == FIELD(n, STAMP)
#endif

inline look_at_freed(n)
{
    do
    :: stamp = FIELD(n, STAMP);
       f = FIELD(n, FREED);
       if :: UNLESS_STAMP_CHANGED(n) -> break :: else fi
    od;
    atomic {
        seen_freed = (GENERATION(stamp) == GENERATION(before) -> seen_freed + f : seen_freed);
        stamp = 0; f = 0
    }
}

inline look_at_rest(n)
{
    do
    :: stamp = FIELD(n, STAMP);
       a = FIELD(n, ALLOCATED);
       f = FIELD(n, FREED);
       p = FIELD(n, PEAK);
       if :: UNLESS_STAMP_CHANGED(n) -> break :: else fi
    od;
    atomic {
        if
        :: GENERATION(stamp) == GENERATION(before) ->
            seen_allocated = seen_allocated + a;
            seen_peak = seen_peak + (stamp == before -> p : a - f)
        :: else
        fi;
        stamp = 0; a = 0; f = 0; p = 0
    }
}

proctype reader()
{
    byte before, stamp, f, a, p, seen_freed, seen_allocated;
    short seen_peak; /* of one cell it may be below zero */
    byte born_before, gone_before;
    atomic {
        before = control;
        born_before = born[GENERATION(before)]; gone_before = gone[GENERATION(before)]
    };
#ifdef NO_FREED_FIRST
    look_at_rest(0); look_at_rest(1);
    look_at_freed(0); look_at_freed(1);
#else
    look_at_freed(0); look_at_freed(1);
    look_at_rest(0); look_at_rest(1);
#endif
    atomic {
        if
        :: control == before ->
            assert(seen_freed <= seen_allocated);
            assert(seen_allocated >= born_before && seen_freed >= gone_before);
            assert(seen_allocated <= born[GENERATION(before)]);
            assert(seen_freed <= gone[GENERATION(before)]);
            /* Under the first control word there is no peak yet. */
            assert(before == 0 || (seen_peak <= live_at_command + under_way_at_command &&
                                   seen_peak + under_way_at_command >= live_at_command))
        :: else
        fi
    }
}

init
{
    atomic { run first(); run second(); run commander(); run reader() }
}

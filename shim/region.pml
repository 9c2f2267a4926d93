/*
 * Model of how slabs are made (shim/region.c: take_slab, make_slab, publish_slab), for spin:
 *
 *     spin -a region.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 *
 * WRITERS threads want the same slab (-DOTHER: the second wants another one), put a record into it
 * and publish the number of the record; a reader in another process, which comes when it likes or
 * after all have died, follows each published number. Any of them may stop for ever at any step. The
 * file may be refused more memory at any time (-DFULL). What is found out:
 *  - memory is touched only where it was committed before: else it would be a SIGBUS in the program;
 *  - a slab has one owner: no two arrays, no two ordinals share one;
 *  - a record whose number was published is found by the reader through the region's slab table;
 *  - of one array's ordinal there is one slab in that table;
 *  - nobody waits.
 *
 * Memory order: as in table.pml. The table's word is a plain store, before the store that publishes
 * the number, by the same thread; x86 shows stores in their order, also to another process.
 *
 * With -DNO_... a guard is gone, and spin must find an error: tests/proof/model_test.py.
 */
#ifndef WRITERS
#define WRITERS 2
#endif
#define SLABS 4

byte directory[2];    /* private: slab + 1, by ordinal; 0 = not made */
bit claimed[2];       /* CLAIMED, in the same word: its table word may not be stored yet */
byte word[SLABS];     /* the region's slab table: ordinal + 1 */
byte committed = 0;   /* slabs that are backed by memory */
byte slab_count = 0;
byte spare = 0;       /* slab + 1 */
byte record[SLABS];   /* what was put there: bit by writer */
bit published[WRITERS];
byte owner[SLABS];    /* for the assertions: who took it, + 1 */

#define STEP(what...) atomic { if :: true -> what :: true -> goto dead fi }

#ifdef OTHER
#define ORDINAL(w) ((w) % 2)
#else
#define ORDINAL(w) 0
#endif

proctype writer(byte w)
{
    byte slab, next, from;
    bit mark;

    /* region_slab */
    STEP(slab = directory[ORDINAL(w)]; mark = claimed[ORDINAL(w)]);
    if :: slab != 0 -> goto found :: else fi;
    /* take_slab: `slab` is a number + 1 from here on */
    STEP(slab = spare; spare = 0);
    if :: slab != 0 -> goto taken :: else fi;
    STEP(next = slab_count);
    do
    ::
#ifdef FULL
        if :: goto dead :: true fi; /* refused: counted, and the allocation goes to the catch-all */
#endif
#ifndef NO_COMMIT
        STEP(from = committed);
        if
        :: from < next + 1 ->
            STEP(assert(next < SLABS)); /* madvise */
            STEP(committed = (committed > next + 1 -> committed : next + 1))
        :: else
        fi;
#endif
#ifdef NO_COMPARE_OF_COUNT
        STEP(slab_count = next + 1; slab = next + 1; break)
#else
        STEP(if
             :: slab_count == next -> slab_count = next + 1; slab = next + 1; break
             :: else -> next = slab_count
             fi)
#endif
    od;
taken:
    atomic { assert(owner[slab - 1] == 0); owner[slab - 1] = w + 1 };
    /* make_slab: the directory's entry, by compare-and-swap */
    STEP(if
         :: directory[ORDINAL(w)] == 0 ->
            directory[ORDINAL(w)] = slab; claimed[ORDINAL(w)] = 1; mark = 1
         :: else ->
            next = slab; slab = directory[ORDINAL(w)]; mark = claimed[ORDINAL(w)];
            owner[next - 1] = 0; spare = next; goto found
         fi);
#ifdef NO_HELP
    STEP(word[slab - 1] = ORDINAL(w) + 1);
#endif
found:
#ifndef NO_HELP
    if
    :: mark -> /* publish_slab */
        STEP(word[slab - 1] = ORDINAL(w) + 1);
        STEP(claimed[ORDINAL(w)] = 0)
    :: else
    fi;
#endif
    STEP(assert(slab <= committed); record[slab - 1] = record[slab - 1] | (1 << w));
    STEP(published[w] = 1);
dead:
    atomic { slab = 0; next = 0; from = 0; mark = 0 }
}

proctype reader()
{
    byte w, i, at;
    do
    :: w == WRITERS -> break
    :: w < WRITERS ->
        if
        :: published[w] -> /* then the slab table is read */
            i = 0; at = 0;
            do
            :: i == SLABS -> break
            :: i < SLABS ->
                atomic {
                    if
                    :: word[i] == ORDINAL(w) + 1 -> assert(at == 0); at = i + 1
                    :: else
                    fi;
                    i++
                }
            od;
            assert(at != 0 && (record[at - 1] & (1 << w)) != 0)
        :: else
        fi;
        w++
    od
}

init
{
    atomic {
        byte n = 0;
        do :: n < WRITERS -> run writer(n); n++ :: else -> break od;
        run reader()
    }
}

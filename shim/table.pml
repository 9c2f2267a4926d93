/*
 * Model of shim/table.c and of the order of publication in shim/contexts.c, for spin:
 *
 *     spin -a table.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 *
 * Two writers insert a path each: the same one, or (-DOTHER) different ones. Threads of a third kind
 * let the table grow (GROWERS of them). A looker looks paths up, once. Each may stop for ever
 * at each of its steps: that is more than a SIGKILL, which stops all of them at once, since the
 * others go on and must not need who stopped. What is found out:
 *  - nobody waits, neither for who claimed a slot nor for who grows the table (a state in which
 *    somebody cannot go on is an error to spin);
 *  - a number that is found under a path is that of a record of this path that was published before;
 *  - a search ends: it comes to an empty slot, or to what it looks for;
 *  - a path that was filed is found, also after the table grew; and all who insert it get one number,
 *    unless the table grew meanwhile.
 *
 * All paths collide, and the searches begin at the first slot: that is worse than any hash makes it.
 * The new table's slots are others than the old one's. Memory is not refused here: then the table
 * does not grow. A parent is to its child what OLD is to the others: filed before its child begins.
 *
 * Memory order. A step is one access (or what a compare-and-swap does), and all see the steps in one
 * order. On x86 others may see a store later than its own thread's next loads. Nothing here depends
 * on that: claims, numbers and the change of tables are compare-and-swaps, which others see at once;
 * a record is stored before one of these, and stores are seen in their order; no thread stores one
 * word and then decides by another that it loads (the sweeper of the index does: tests/proof/litmus.c).
 *
 * With -DNO_... a guard is gone, and spin must find an error: tests/proof/model_test.py.
 */
#ifndef GROWERS
#define GROWERS 1
#endif
#define SLOTS 3 /* of the old table, of which one stays empty for ever; then those of the new one */
#define SLOTS2 4
#define NUMBERS 6

#define OLD 1 /* paths; OLD was filed before all this began, as number 1 */
#define PATH 2
#ifdef OTHER
#define SECOND 3
#else
#define SECOND PATH
#endif

byte key[NUMBERS]; /* records of nodes or contexts, by number: the path; 0 = not published */
byte next_number = 2;
byte hash[SLOTS + SLOTS2], value[SLOTS + SLOTS2];
byte base = 0; /* first slot of the present table: 0, then SLOTS */
byte filed[4]; /* for the assertions: the number of a path in the present table */
byte got[2];

/* One access of a thread that goes on, or its end. */
#define STEP(what) atomic { if :: true -> what :: true -> goto dead fi }

#define RIGHT(number, path) assert((number) == 0 || key[number] == (path))

proctype writer(byte path; byte who)
{
    byte from, i, seen, number;

    /* table_find */
    STEP(from = base);
    do
    :: STEP(assert(i < SLOTS2 && (from != 0 || i < SLOTS)); seen = hash[from + i];
            if :: seen == path || seen == 0 -> break :: else -> i++ fi)
    od;
    if
    :: seen == path ->
        STEP(number = value[from + i]);
#ifndef NO_SECOND_LOOK
        STEP(if :: from != base -> number = 0 :: else fi);
#endif
        RIGHT(number, path);
        if :: number != 0 -> goto have :: else fi
    :: else
    fi;

    /* add_node, add_context */
    STEP(number = next_number; next_number++);
#ifndef NO_RECORD_FIRST
    STEP(key[number] = path);
#endif

    /* table_insert */
    STEP(from = base; i = 0; seen = 0);
    do
    :: STEP(assert(i < SLOTS2 && (from != 0 || i < SLOTS)); seen = hash[from + i];
            if :: seen == path -> break :: seen == 0 -> skip :: else -> i++ fi);
       if
       :: seen == 0 ->
#ifdef NO_CLAIM
        STEP(hash[from + i] = path; break)
#else
        STEP(if
             :: hash[from + i] == 0 -> hash[from + i] = path; break
             :: hash[from + i] == path -> break
             :: else -> i++
             fi)
#endif
       :: else
       fi
    od;
#ifdef WAIT_FOR_NUMBER
    if
    :: seen == path -> /* somebody else claimed it */
        (value[from + i] != 0)
    :: else
    fi;
#endif
#ifdef NO_COMPARE
    STEP(seen = 0; value[from + i] = number; filed[path] = (from == base -> number : filed[path]));
#else
    STEP(seen = value[from + i];
         if
         :: seen == 0 -> value[from + i] = number;
            filed[path] = (from == base && hash[from + i] == path -> number : filed[path])
         :: else
         fi);
#endif
#ifndef NO_SECOND_LOOK
    if :: seen != 0 -> STEP(if :: from != base -> seen = 0 :: else fi) :: else fi;
#endif
    if :: seen != 0 -> number = seen :: else fi;
    RIGHT(number, path);
#ifdef NO_RECORD_FIRST
    STEP(key[number] = path);
#endif
have:
    atomic {
        got[who] = number;
        assert(path != SECOND || path != PATH || base != 0 || got[1 - who] == 0 ||
               got[1 - who] == number)
    }
dead:
    atomic { from = 0; i = 0; seen = 0; number = 0 }
}

proctype grower()
{
    byte i, seen, number, copied;
    byte mine[SLOTS], mine_value[SLOTS];

    STEP(if :: base != 0 -> goto dead :: else fi);
    do
    :: i == SLOTS -> break
    :: else ->
        STEP(seen = hash[i]);
        STEP(number = value[i];
#ifdef COPY_CLAIMED
             if :: seen != 0 ->
#else
             if :: seen != 0 && number != 0 ->
#endif
                mine[copied] = seen; mine_value[copied] = number; copied++ :: else fi;
             i++; seen = 0; number = 0)
    od;
    /* The compare-and-swap of table->slots; the loser's copy is thrown away. */
    STEP(if :: base != 0 -> goto dead :: else fi;
         i = 0; filed[PATH] = 0; filed[SECOND] = 0; filed[OLD] = 0;
         do
         :: i < copied -> hash[SLOTS + i] = mine[i]; value[SLOTS + i] = mine_value[i];
            filed[mine[i]] = mine_value[i]; i++
         :: else -> break
         od;
         base = SLOTS; i = 0);
    do /* MADV_DONTNEED, word by word */
    :: i == SLOTS -> break
    :: else -> STEP(hash[i] = 0); STEP(value[i] = 0; i++)
    od;
dead:
    atomic { i = 0; seen = 0; number = 0; copied = 0;
             mine[0] = 0; mine[1] = 0; mine[2] = 0;
             mine_value[0] = 0; mine_value[1] = 0; mine_value[2] = 0 }
}

proctype looker()
{
    byte from, at, i, seen, number, must, path;
    atomic {
        if :: path = OLD :: path = PATH fi;
        must = filed[path]; from = base
    }
    do
    :: atomic {
        assert(i < SLOTS2 && (from != 0 || i < SLOTS)); seen = hash[from + i];
        if :: seen == path || seen == 0 -> break :: else -> i++ fi }
    od;
    if
    :: seen == path ->
        number = value[from + i];
#ifndef NO_SECOND_LOOK
        if :: from != base -> number = 0 :: else fi
#endif
    :: else
    fi;
    RIGHT(number, path);
    /* A miss: only of what was not filed when the search began, or while the tables change. */
    assert(number != 0 || must == 0 || from != base)
}

init
{
    atomic {
        key[1] = OLD; hash[0] = OLD; value[0] = 1; filed[OLD] = 1;
        run writer(PATH, 0);
#ifndef ONE_WRITER
        run writer(SECOND, 1);
#endif
#ifdef LOOKER
        run looker();
#endif
        byte n = 0;
        do :: n < GROWERS -> run grower(); n++ :: else -> break od
    }
}

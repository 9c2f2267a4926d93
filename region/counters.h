/*
 * The lists of what is counted. One line here makes a counter everywhere: in the region, in
 * snapshots, in JSON and in text.
 */
#ifndef TRACESNAP_REGION_COUNTERS_H
#define TRACESNAP_REGION_COUNTERS_H

/*
 * Drops: anything that could not be recorded, by cause. The order is part of the region's format:
 * new causes go to the end, up to TS_DROP_MAX. X(name, key in JSON, what it means)
 */
#define TS_DROP_LIST(X)                                                                            \
    X(REENTRANT, "reentrant", "allocations of a signal handler that interrupted an allocation or a free")   \
    X(EARLY, "early", "allocations before the shim could start")                                   \
    X(NO_INDEX, "no_index", "allocations for which the index of live blocks had no memory")        \
    X(NO_SHARD, "no_shard", "allocations of threads for which no counter shard was left")          \
    X(NO_COUNTER, "no_counter", "allocations and frees for which no counter cell was left")           \
    X(CONTEXTS_FULL, "contexts_full", "allocations charged to the catch-all context: table or region full")  \
    X(REGION_FULL, "region_full", "times the region could not grow (limit or full file system)")   \
    X(MODULES_FULL, "modules_full", "modules that found no slot; their frames have no name")       \
    X(DEPTH_CUT, "depth_cut", "stacks cut at the depth bound; the outermost frames are missing")   \
    X(NO_UNWIND, "no_unwind", "stacks that ended at code without unwind information")              \
    X(VERIFY, "verify_disagreements", "stacks that differ from libunwind's (verify=1)")            \
    X(UNTRACED, "untraced_children", "forked children that could have no region of their own")     \
    X(CODES_FULL, "codes_full", "Python code objects that could not be copied whole: their frames have no name, or no line")

enum ts_drop {
#define X(name, key, meaning) TS_DROP_##name,
    TS_DROP_LIST(X)
#undef X
        TS_DROP_COUNT
};

#define TS_DROP_MAX 32 /* slots in the header and in a snapshot */

/*
 * Gauges: what the shim did and holds, shown by `ps --json` and `stats --json` under "shim".
 * X(name, key in JSON, what it means)
 */
#define TS_GAUGE_LIST(X)                                                                           \
    X(VERIFIED, "verified", "stacks compared with libunwind (verify=1)")                           \
    X(RULES, "rules", "unwind rules parsed")                                                       \
    X(ODD_FRAMES, "odd_frames", "stacks with a frame that no rule expresses")                      \
    X(GUESSED, "guessed", "frames passed by their frame pointer alone")                            \
    X(PRIVATE, "private_bytes", "private addresses mapped for the shim's tables, touched or not")

enum ts_gauge {
#define X(name, key, meaning) TS_GAUGE_##name,
    TS_GAUGE_LIST(X)
#undef X
        TS_GAUGE_COUNT
};

#define TS_GAUGE_MAX 32

#endif

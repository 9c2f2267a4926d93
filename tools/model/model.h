/*
 * What the files of this directory share while a report is being built. Nothing here outlives
 * report_build, but for what lies in the pool.
 *
 *     node of a capture -> code (what its key was symbolised to) -> frames, innermost first
 *     frame -> look: frames that cannot be told apart in a report share one
 *     frame -> group: the row it counts in, found once
 *     node -> stack: the path of looks from the root; equal paths are one stack
 */
#ifndef TRACESNAP_TOOLS_MODEL_MODEL_H
#define TRACESNAP_TOOLS_MODEL_MODEL_H

#include "tools/base/hash_map.h"
#include "tools/base/strpool.h"
#include "tools/model/report.h"

/* A row in the making. */
struct group {
    struct report_row row;
    uint64_t old_counts[TS_DOMAIN_COUNT]; /* live blocks of the old side, by domain */
    unsigned seen;                        /* domains of all blocks that were added, as bits */
    const struct stack *stack;  /* GROUP_STACK: what the row stands for */
    struct capture_values best; /* of the context that gave the row its function and object */
    bool best_is_old;
};

struct look {
    struct report_frame frame; /* the first one that looked like this */
    uint32_t rank;             /* in the order of places; set by stacks_rank */
    uint8_t *matches;          /* per filter: 0 = not asked yet, 1 = no, 2 = yes */
};

struct frame {
    struct report_frame shown;
    struct look *look;
    struct group *group; /* NULL = not looked up yet */
    unsigned merit;      /* how well it explains a block, user_code.c */
    bool of_interpreter; /* native code of Python's interpreter, user_code.c */
};

struct code {
    size_t count;
    struct frame *frames; /* innermost first */
};

struct stack {
    const struct stack *parent; /* one frame further out; the root has NULL */
    struct look *look;
    struct group *groups[TS_DOMAIN_COUNT]; /* all in [0], unless domains are split */
    uint32_t depth;  /* frames, 0 for the root */
    uint32_t number; /* in order of creation: a parent's is smaller */
    uint32_t rank;   /* in the order of places, set by stacks_rank */
};

/* One of the captures of a report, and what was found out about its nodes so far. */
struct side {
    const struct capture *capture;
    struct symbolizer *symbolizer;
    struct hash_map codes; /* frame key -> struct code */
    struct code **of_node; /* NULL = not symbolised yet */
    struct stack **stacks; /* by node; GROUP_STACK only */
    struct python_lines **lines; /* by code number; NULL = not read yet */
};

struct builder {
    const struct report_options *options;
    struct strpool *pool;                  /* becomes the report's arena */
    struct hash_map looks, groups, stacks; /* by interned key, see keyed() */
    struct group **group_list;
    size_t group_count, group_room;
    struct stack **stack_list;
    size_t stack_count, stack_room;
    struct group *of_domain[TS_DOMAIN_COUNT]; /* GROUP_DOMAIN only */
    struct frame *none;                       /* stands for the stack without frames */
};

/*
 * The slot of a composed key: equal bytes give the same number, different bytes different ones.
 * Keys hold interned pointers and numbers, and no padding.
 */
uint64_t keyed(struct builder *builder, const void *key, size_t size);

/* ------------------------------------------------------------------ frames.c */

void side_begin(struct side *side, const struct capture *capture, struct symbolizer *symbolizer);
void side_end(struct side *side);

/* The frames of a node other than the root. */
struct code *code_of(struct builder *builder, struct side *side, uint32_t node);

/* The frame of a stack without frames: <unknown>:0. */
struct frame *frame_none(struct builder *builder);

/* ------------------------------------------------------------------ user_code.c */

/*
 * How well a frame explains a block; smaller is better. MERIT_USER is what a user would look at
 * first: his own line; a walk from the innermost frame outward may stop there.
 */
enum merit {
    MERIT_USER,         /* the user's code, line known */
    MERIT_USER_NO_LINE, /* the user's code, object and offset known */
    MERIT_WRAPPER,      /* a function that allocates for its callers, such as xmalloc */
    MERIT_LIBRARY,      /* a language's standard library, line known */
    MERIT_OTHER,        /* the standard library without a line; code that no module holds */
    MERIT_ALLOCATOR,    /* the allocator, the C library and what starts programs */
    MERIT_MARK          /* no frame at all */
};

enum merit user_code_merit(const struct report_frame *frame);

/* Whether native code is that of Python's interpreter, as it stands between Python frames. */
bool user_code_is_interpreter(const struct report_frame *frame);

/* ------------------------------------------------------------------ place.c */

/* Whether the frame is shown as file:line. */
bool has_line(const struct report_frame *frame);

/* The frame that a context is charged to. */
struct frame *attribute(struct builder *builder, struct side *side, uint32_t node);

/* The nearest frame further out than `charged`, in the stack of `node`, whose function is known; or NULL. */
const char *place_called_from(struct builder *builder, struct side *side, uint32_t node,
                              const struct frame *charged);

/* What is shown before the colon of a row. */
const char *place_label(struct strpool *pool, enum report_group group,
                        const struct report_frame *place);

/* Order of places: (file by code point, line), then what else tells them apart. */
int place_compare(const struct report_frame *a, const struct report_frame *b);

/* ------------------------------------------------------------------ filter.c */

/* Whether the filters let a context pass; `charged` is its attributed frame. */
bool filters_pass(struct builder *builder, struct side *side, uint32_t node,
                  const struct frame *charged);

/* ------------------------------------------------------------------ group.c */

/* Adds a context's values to the row of a frame. True: the context is the one that names the row. */
bool group_add_frame(struct builder *builder, struct frame *frame,
                     const struct capture_context *context, bool is_old);

/* Adds a context's values to the row of its stack. */
void group_add_stack(struct builder *builder, struct stack *stack, const struct frame *charged,
                     const struct capture_context *context, bool is_old);

/* Adds a context's values to the row of its domain. */
void group_add_domain(struct builder *builder, const struct capture_context *context, bool is_old);

void values_add(struct capture_values *to, const struct capture_values *values);

/* ------------------------------------------------------------------ domain.c */

/* Adds a context to what its group knows of domains. */
void domain_add(struct group *group, const struct capture_context *context, bool is_old);

/* Tells the row which domains its blocks are of. */
void domain_finish(struct group *group, enum report_sort sort);

/* ------------------------------------------------------------------ python_object.c */

/* The package, or what else a Python file belongs to. */
const char *python_object(struct strpool *pool, const char *file);

/* ------------------------------------------------------------------ stacks.c */

/* Finds the stack of every node of the side. */
void stacks_find(struct builder *builder, struct side *side);

/* The stack of a node; that of the root is one frame without a name. */
struct stack *stack_of(struct builder *builder, struct side *side, uint32_t node);

/* Ranks all stacks: compared frame by frame, oldest first, a beginning before what it begins. */
void stacks_rank(struct builder *builder);

/* The frames of a row's stack, innermost first, into the pool. */
void stack_frames(struct builder *builder, struct report_row *row, const struct stack *stack);

/* ------------------------------------------------------------------ sort.c */

/* Sorts the builder's group_list by report.h's order, descending. */
void groups_sort(struct builder *builder, bool is_diff);

#endif

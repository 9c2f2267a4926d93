/*
 * Contexts: from a captured stack to its number. A known stack costs one probe whatever its depth;
 * the nodes of the tree are touched only by a stack that is new.
 */
#ifndef TRACESNAP_SHIM_CONTEXTS_H
#define TRACESNAP_SHIM_CONTEXTS_H

#include "shim/walk.h"

#define CONTEXT_CATCH_ALL 1u

/* Makes the tables and the catch-all context; the region must be there. */
bool contexts_start(void);
void contexts_forked(void);

/* Stacks are hardly ever looked for here: what was seen before stands elsewhere (python_place.h).
 * Takes less memory. */
void contexts_look_rarely(void);

/* A stack as a path from the root, and who was asked for its blocks. */
struct contexts_path {
    struct walk_path *path;
    uint32_t count;
    enum ts_domain domain;
};

static inline struct contexts_path contexts_path_of(struct walk_frames *frames)
{
    return (struct contexts_path){frames->path, frames->count, TS_DOMAIN_LIBC};
}

/* Before contexts_of: lets the memory that it will look at be on its way. */
void contexts_prefetch(struct contexts_path stack);

/*
 * The context of a stack: 1 to TS_CONTEXTS_LIMIT - 1; the catch-all, counted, when nothing more can
 * be recorded.
 */
uint32_t contexts_of(struct contexts_path stack);

/* Whether two contexts have the same frames: a race may give a path two numbers (table.h). */
bool contexts_same(uint32_t a, uint32_t b);

#endif

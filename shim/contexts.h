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

/*
 * The context of the captured frames: 1 to TS_CONTEXTS_LIMIT - 1; the catch-all, counted, when
 * nothing more can be recorded.
 */
uint32_t contexts_of(const struct walk_frames *frames);

#endif

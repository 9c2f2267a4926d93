/*
 * A function to which exceptions go that are thrown further in: through frames that know nothing of
 * them, and through handlers that pass them on.
 */
extern "C" {
#include "worker.h"
}

struct landed {
    long level;
};

extern "C" void throw_to_landing(long level)
{
    throw landed{level};
}

extern "C" long catching(struct strand *s, long level)
{
    ENTER;
    s->landing[level].set = s->landing[level].catches = s->mood == MOOD_SOBER;
    s->landing[level].depth = s->depth;
    s->landing[level].alternate = s->alternate;
    for (bool again = true; again;) {
        again = false;
        try {
            go_on(s, level, "catching");
        } catch (const landed &where) {
            if (where.level != level)
                throw;
            again = true;
        }
    }
    s->landing[level].set = s->landing[level].catches = false;
    return LEAVE;
}

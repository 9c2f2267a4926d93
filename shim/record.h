/*
 * The life of one allocation in our books: recorded after the next allocator gave it, forgotten
 * before it is given back. Called with thread->busy set.
 */
#ifndef TRACESNAP_SHIM_RECORD_H
#define TRACESNAP_SHIM_RECORD_H

#include "shim/index.h"
#include "shim/walk.h"

void record_allocation(struct thread *thread, const void *address, size_t size,
                       const struct walk_start *start);

/* The same in a process with a Python interpreter. */
void record_python(struct thread *thread, const void *address, size_t size,
                   const struct walk_start *start, enum ts_domain domain);

/* Both, and record_free, where it is not the usual case (record_usual.h). */
void record_python_slowly(struct thread *thread, const void *address, size_t size,
                          const struct walk_start *start, enum ts_domain domain);
void record_free_slowly(struct thread *thread, const void *address);

/* Of a block that sampling chose. Its domain is thread->domain. */
void record_sampled(struct thread *thread, const void *address, size_t size,
                    const struct walk_start *start);

/* Before record_take: sees to what a `clear` or `reset-peak` asks for. */
void record_notice(struct thread *thread);

/* Takes the block out of the index; false when it is not known. Nothing is counted yet. */
bool record_take(const void *address, struct block *block);
bool record_take_sampled(const void *address, struct block *block);
bool record_take_either(const void *address, struct block *block);

/* Counts a block that was taken as freed. */
void record_freed(struct thread *thread, const struct block *block);
void record_freed_sampled(struct thread *thread, const struct block *block);
void record_freed_either(struct thread *thread, const struct block *block);

/* Both: the program frees the block at address. */
void record_free(struct thread *thread, const void *address);
void record_free_sampled(struct thread *thread, const void *address);

/* The next allocator refused: puts a taken block back. */
void record_put_back(struct thread *thread, const void *address, const struct block *block);

/* Frees made by signal handlers while the thread was busy are counted now. */
void record_deferred(struct thread *thread);
void record_defer(struct thread *thread, const struct block *block);

/* In a forked child: counts the blocks that it inherited. */
void record_inherited(struct thread *thread);

/* In a forked child: the thread that forked lets go of all that belongs to its parent. */
void record_settle(struct thread *thread);

#endif

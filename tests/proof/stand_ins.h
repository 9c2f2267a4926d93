/*
 * The shim's books without the hooks, the walk and the life of a process: what the tests of this
 * directory compile of shim/ needs a stack to record and a region to record it in, and gets both
 * here. A thread says which stack it is in; frames are numbers.
 */
#ifndef TRACESNAP_TESTS_PROOF_STAND_INS_H
#define TRACESNAP_TESTS_PROOF_STAND_INS_H

#include "shim/record.h"

#define STACK_DEPTH_MOST 8u

/* Outermost first. Frames are offsets of keys of code that no module holds. */
struct fake_stack {
    uint32_t count;
    uint64_t frames[STACK_DEPTH_MOST];
};

/* A thread of the shim: its state, and the stack that its next allocation is under. */
struct fake_thread {
    struct thread thread;
    struct fake_stack stack;
};

/* Makes the region, its tables and the index, once, as process.c does; exits when that is refused. */
void books_open(void);

/* In a child of fork: as process.c does. false: there is no region. */
bool books_open_child(struct fake_thread *thread);

/* An allocation and a free as the hooks report them. Addresses need not be mapped. */
void books_allocate(struct fake_thread *thread, uintptr_t address, size_t size);
void books_free(struct fake_thread *thread, uintptr_t address);

/* Gives the thread's shard to the next one, as its destructor does. */
void books_leave(struct fake_thread *thread);

uint64_t fake_key(uint64_t frame);

#endif

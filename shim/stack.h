/*
 * Which memory is stack. Unwinding reads only what was proven readable and belongs to the stack
 * that it is on; nothing about a stack that is not the thread's own is believed longer than one
 * capture, since a coroutine's stack may be freed and its addresses mapped anew.
 */
#ifndef TRACESNAP_SHIM_STACK_H
#define TRACESNAP_SHIM_STACK_H

#include "shim/thread.h"

/* What one capture may read: [low, high), always readable while the capture lasts. */
struct stack_view {
    uintptr_t low, size;
    struct thread *thread;
};

/* At the program's start: finds out whether the kernel tells what can be read. */
void stack_start(void);

/* Starts a capture whose stack pointer is sp (readable: the caller runs on it). True: the thread's
 * own stack. */
bool stack_begin(struct stack_view *view, struct thread *thread, uintptr_t sp);

/* Not in the view: tries to widen it, by the thread's own stack or upward, page by page through the
 * kernel. */
bool stack_widen(struct stack_view *view, uintptr_t address);

/* Looks at up to `size` bytes below sp now, since it cannot be done later: a filter will forbid it.
 */
void stack_look_ahead(struct thread *thread, uintptr_t sp, size_t size);
/* The capture goes on at another stack pointer, which a signal interrupted: on any stack. */
bool stack_move(struct stack_view *view, uintptr_t sp);

/* In the part of the thread's own stack that is known. */
static inline bool stack_is_own(const struct thread *thread, uintptr_t address)
{
    return address - thread->stack_low < thread->stack_high - thread->stack_low;
}

static inline bool stack_readable(struct stack_view *view, uintptr_t address)
{
    if (address & 7)
        return false;
    return __builtin_expect(address - view->low < view->size, 1) || stack_widen(view, address);
}

static inline uint64_t stack_word(uintptr_t address)
{
    return *(const uint64_t *)address;
}

#endif

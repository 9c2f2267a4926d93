/*
 * Which memory is stack: the bounds of the thread's own, learned as it is used, and page-wise trial
 * of any other. pthread_getattr_np would tell, but it allocates, opens /proc/self/maps and takes
 * locks.
 *
 * The upper end of a thread's own stack: for a thread of pthread_create the thread control block,
 * which glibc places above the stack in the same mapping; for the main thread __libc_stack_end. The
 * lower end is the lowest address for which every page up to the upper end was tried: no hole, so
 * one stack, and since it only grows downward from what was tried, each page is tried once in the
 * thread's life.
 */
#include "shim/stack.h"
#include "shim/system.h"

#define PAGE ((uintptr_t)4096)
#define PAGES_MAX 16384u /* 64 MiB between two looks at a stack: more is not tried */
#define FOREIGN_SHIFT 16

extern void *__libc_stack_end;

static bool all_readable(uintptr_t from, uintptr_t to)
{
    from &= ~(PAGE - 1);
    if (to <= from || (to - from) / PAGE > PAGES_MAX)
        return false;
    for (uintptr_t page = from; page < to; page += PAGE)
        if (!sys_readable(page))
            return false;
    return true;
}

static bool learn_own(struct thread *thread, uintptr_t sp)
{
    uintptr_t ends[2] = {machine_thread_pointer(), (uintptr_t)__libc_stack_end};
    if (thread->stack_high != 0)
        return sp < thread->stack_low && all_readable(sp, thread->stack_low);
    for (int i = 0; i < 2; i++) {
        if (sp < ends[i] && all_readable(sp, ends[i])) {
            thread->stack_high = ends[i] & ~(uintptr_t)7;
            return true;
        }
    }
    return false;
}

static void view_own(struct stack_view *view)
{
    view->low = view->thread->stack_low;
    view->size = view->thread->stack_high - view->low;
}

bool stack_begin(struct stack_view *view, struct thread *thread, uintptr_t sp)
{
    view->thread = thread;
    if (sp - thread->stack_low < thread->stack_high - thread->stack_low) {
        view_own(view);
        return true;
    }
    uintptr_t page = sp & ~(PAGE - 1);
    if (sp >> FOREIGN_SHIFT != thread->stack_foreign) {
        if (learn_own(thread, sp)) {
            thread->stack_low = page;
            view_own(view);
            return true;
        }
        thread->stack_foreign = sp >> FOREIGN_SHIFT;
    }
    view->low = page;
    view->size = PAGE;
    return false;
}

bool stack_widen(struct stack_view *view, uintptr_t address)
{
    struct thread *thread = view->thread;
    if (address - thread->stack_low < thread->stack_high - thread->stack_low) {
        view_own(view); /* from a signal stack back to the thread's own */
        return true;
    }
    uintptr_t page = address & ~(PAGE - 1);
    if (address < PAGE || !sys_readable(page))
        return false;
    if (page == view->low + view->size) {
        view->size += PAGE;
    } else {
        view->low = page;
        view->size = PAGE;
    }
    return true;
}

/*
 * A filter may answer for the kernel. Whoever says that an address outside of all address spaces
 * can be read is not asked again.
 */
void stack_start(void)
{
    if (sys_readable(UINT64_C(1) << 63))
        ts_or_acq_rel(&sys_forbidden, UINT64_C(1) << SYS_LIST_TRY);
}

void stack_look_ahead(struct thread *thread, uintptr_t sp, size_t size)
{
    struct stack_view view;
    if (!stack_begin(&view, thread, sp))
        return; /* somebody else's stack is never remembered */
    for (uintptr_t page = sp & ~(PAGE - 1); size >= PAGE && page >= 2 * PAGE; size -= PAGE) {
        page -= PAGE;
        if (page >= thread->stack_low)
            continue;
        if (!sys_readable(page))
            return;
        thread->stack_low = page;
    }
}

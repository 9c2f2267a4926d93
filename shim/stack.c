/*
 * Which memory is stack: the bounds of the thread's own, learned as it is used, and page-wise trial
 * of any other. pthread_getattr_np would tell, but it allocates, opens /proc/self/maps and takes
 * locks.
 *
 * The upper end of a thread's own stack: for a thread of pthread_create the thread control block,
 * which glibc places at the upper end of the stack's memory; for the main thread __libc_stack_end.
 * The lower end is the lowest address for which every page up to the upper end was tried: no hole,
 * so one stack, and since it only grows downward from what was tried, each page is tried once in
 * the thread's life. It is never below what pthread_create mapped or was given: what adjoins there,
 * without a guard page, is another stack, which may be unmapped while this thread lives.
 *
 * A stack that is not the thread's own: only the pages from the stack pointer upward, one after the
 * other without a hole. They are in use by the code that runs, hence mapped as long as it does.
 * What lies elsewhere may be any memory, that another thread unmaps between the trial and the read:
 * a frame pointer that points there is none.
 */
#include "shim/stack.h"
#include "shim/system.h"

#define PAGE ((uintptr_t)4096)
#define PAGES_MAX 16384u /* 64 MiB between two looks at a stack: more is not tried */
#define FOREIGN_SHIFT 16
#define OVERFLOW_MAX (16 * PAGE) /* how far below a frame may reach that did not look */

/*
 * Where struct pthread, which begins with the thread control block, may hold the bounds of the
 * stack: address, then size. Its own end, hence the stack's, is not far above.
 */
#define CONTROL_BLOCK_SIZE 2048
#define CONTROL_BLOCK_MAX 65536
#define LOWEST_STACK ((uintptr_t)1 << 22) /* the block holds thread ids, too: they are smaller */

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

/*
 * The lower end of the stack on which pthread_create started this thread, if sp lies in it; else 0:
 * no such thread, or another stack. The first words of the control block that could be the bounds
 * are: those of memory that begins at or below sp and ends just above the block.
 */
static uintptr_t lower_end(uintptr_t block, uintptr_t sp)
{
    const uintptr_t *words = (const uintptr_t *)block;
    for (size_t i = 0; sp < block && i + 1 < CONTROL_BLOCK_SIZE / sizeof *words; i++) {
        uintptr_t low = words[i], above = low + words[i + 1] - block;
        if (low >= LOWEST_STACK && low <= sp && above > 0 && above <= CONTROL_BLOCK_MAX)
            return low;
    }
    return 0;
}

static bool learn_own(struct thread *thread, uintptr_t sp)
{
    uintptr_t block = machine_thread_pointer(), end = (uintptr_t)__libc_stack_end;
    if (thread->stack_high != 0)
        return sp >= thread->stack_end && sp < thread->stack_low &&
               all_readable(sp, thread->stack_low);
    uintptr_t lowest = lower_end(block, sp);
    if (lowest != 0)
        end = block;
    if (sp >= end || !all_readable(sp, end))
        return false;
    thread->stack_end = lowest;
    thread->stack_high = end & ~(uintptr_t)7;
    return true;
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

bool stack_move(struct stack_view *view, uintptr_t sp)
{
    if (stack_is_own(view->thread, sp)) {
        view_own(view); /* from a signal stack back to the thread's own */
        return true;
    }
    /* A stack that overflows was interrupted below its lowest page. */
    for (uintptr_t page = sp & ~(PAGE - 1), end = page + OVERFLOW_MAX; page < end; page += PAGE) {
        if (page >= PAGE && sys_readable(page)) {
            view->low = page;
            view->size = PAGE;
            return true;
        }
    }
    return false;
}

bool stack_widen(struct stack_view *view, uintptr_t address)
{
    uintptr_t end = view->low + view->size;
    if (stack_is_own(view->thread, address)) {
        view_own(view);
        return true;
    }
    if (stack_is_own(view->thread, view->low) || address < end ||
        (address - end) / PAGE > PAGES_MAX)
        return false;
    for (; end <= address; end += PAGE) {
        if (!sys_readable(end))
            return false;
        view->size += PAGE;
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

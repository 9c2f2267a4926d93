/*
 * A library that is preloaded behind the shim, and so is there before it: puts on a filter that
 * looks at where a call comes from. What the shim asks for is refused, or is its death unless it is
 * on the shim's own list; everybody else may do everything. By an instruction of its own, so that
 * the shim does not know. REFUSE: "listed", or a call's number (-1: every one) and an error.
 */
#include "shim/system.h"
#include "tests/faults/limits/filter.h"

#include <link.h>
#include <stdbool.h>
#include <string.h>

struct text {
    uintptr_t low, high;
};

static int find_text(struct dl_phdr_info *info, size_t size, void *closure)
{
    struct text *text = closure;
    (void)size;
    if (strstr(info->dlpi_name, "libtracesnap.so") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_flags & PF_X) {
            text->low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            text->high = text->low + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

#define LOAD_AT(offset)                                                                            \
    filter_add(filter,                                                                             \
               (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offset)))
#define LOAD(field) LOAD_AT(offsetof(struct seccomp_data, field))
#define JUMP(how, value, yes, no)                                                                  \
    filter_add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | how | BPF_K, (unsigned)(value), yes, no))
#define RETURN(value) filter_add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value))

/* All but the shim's text is allowed everything. */
static void begin(struct filter *filter, const struct text *text)
{
    FAULT_EQUAL(text->low >> 32, (text->high - 1) >> 32);
    filter->length = 0;
    LOAD_AT(offsetof(struct seccomp_data, instruction_pointer) + 4);
    JUMP(BPF_JEQ, text->low >> 32, 1, 0);
    RETURN(SECCOMP_RET_ALLOW);
    LOAD(instruction_pointer);
    JUMP(BPF_JGE, (uint32_t)text->low, 1, 0);
    RETURN(SECCOMP_RET_ALLOW);
    JUMP(BPF_JGE, (uint32_t)text->high, 0, 1);
    RETURN(SECCOMP_RET_ALLOW);
    LOAD(nr);
}

/* The arguments that say what kind of call it is. */
static void allow_listed(struct filter *filter, int call, unsigned third, unsigned fourth)
{
    bool by_third =
        call == SYS_mmap || call == SYS_mprotect || call == SYS_madvise || call == SYS_openat;
    JUMP(BPF_JEQ, call, 0, by_third ? (call == SYS_mmap ? 6 : 4) : 1);
    if (by_third) {
        LOAD(args[2]);
        JUMP(BPF_JEQ, third, 0, call == SYS_mmap ? 3 : 1);
        if (call == SYS_mmap) {
            LOAD(args[3]);
            JUMP(BPF_JEQ, fourth, 0, 1);
        }
    }
    RETURN(SECCOMP_RET_ALLOW);
    if (by_third)
        LOAD(nr);
}

static void put_on(struct filter *filter, unsigned others)
{
    RETURN(others);
    struct sock_fprog program = {filter->length, filter->code};
    FAULT_EQUAL(filter_instruction(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0), 0);
    FAULT_EQUAL(filter_instruction(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program), 0);
}

static __attribute__((constructor)) void refuse(void)
{
    static struct filter filter;
    struct text text = {0, 0};
    const char *what = getenv("REFUSE");
    FAULT_TRUE(what != NULL && dl_iterate_phdr(find_text, &text) == 1);
    begin(&filter, &text);
    if (strcmp(what, "listed") == 0) {
#define X(name, call, when, a, b, c, d) allow_listed(&filter, SYS_##call, (unsigned)(c), (unsigned)(d));
        SYS_LIST(X)
#undef X
        put_on(&filter, SECCOMP_RET_KILL_PROCESS);
        return;
    }
    char *error;
    long call = strtol(what, &error, 10);
    unsigned how = SECCOMP_RET_ERRNO | (unsigned)strtol(error, NULL, 10);
    if (call >= 0)
        filter_end(&filter, (int)call, how);
    put_on(&filter, call >= 0 ? SECCOMP_RET_ALLOW : how);
}

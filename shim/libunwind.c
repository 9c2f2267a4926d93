/*
 * libunwind, used so that it can do no harm (checked against 1.6.2).
 *
 * As a step it runs in its "remote" mode with accessors of ours: every word that it reads was
 * proven to be stack or unwind table, it looks modules up as we do, takes no loader lock, keeps no
 * pipe and caches nothing. Its one lock, around its memory pool, is why a thread that finds another
 * inside gives up after a while.
 *
 * As the oracle it runs in its local mode, which shares nothing with our code, not even the module
 * look-up. It opens a pipe and takes the loader's lock: verify=1 is for tests.
 */
#include "shim/libunwind.h"
#include "shim/modules.h"
#include "shim/options.h"
#include "shim/region.h"
#include "shim/stack.h"
#include "shim/system.h"

#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>

#define SPINS_MAX 20000 /* some 0.2 ms: a walk of 100 odd frames takes less */

#define REMOTE(name) __typeof__(&UNW_OBJ(name))
static struct {
    REMOTE(create_addr_space) create_addr_space;
    REMOTE(set_caching_policy) set_caching_policy;
    REMOTE(init_remote) init_remote;
    REMOTE(step) step;
    REMOTE(get_reg) get_reg;
    int (*search_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int,
                        void *);
} remote;

static struct {
    int (*getcontext)(unw_tdep_context_t *);
    int (*init_local)(unw_cursor_t *, unw_context_t *);
    int (*step)(unw_cursor_t *);
    int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
    int (*set_caching_policy)(unw_addr_space_t, unw_caching_policy_t);
} local;

static unw_addr_space_t space; /* NULL: no stepping by libunwind */
static bool oracle;
static uint32_t in_use; /* 1 while a thread walks */

#define LEFT_MAX 4
#define RED_ZONE 512 /* what the kernel leaves between a signal's frame and what it interrupted */

/* The registers at the start of a walk, and what it may read. */
struct walker {
    struct stack_view view;
    struct stack_view left[LEFT_MAX]; /* of stacks further in, which still hold saved registers */
    uint32_t left_count;
    struct cfi_tables tables; /* of the module looked up last */
    bool unknown;             /* the last frame has no tables, or what is none */
    bool of_signal;           /* the frame just left interrupted the next one, on any stack */
    unw_word_t registers[UNW_X86_64_RIP + 1];
};

static int find_proc_info(unw_addr_space_t as, unw_word_t pc, unw_proc_info_t *info, int need,
                          void *arg)
{
    struct walker *walker = arg;
    uint32_t index = modules_find(pc);
    const struct module_instance *module = &module_instances[index];
    const uint8_t *header = module->tables.header;
    uint32_t entries;
    walker->unknown = true;
    /* Only the one layout that linkers make: version 1, count udata4, table datarel|sdata4. */
    if (index == 0 || module->tables.low == NULL || module->tables.high - header < 12 ||
        header[0] != 1 || header[2] != 0x03 || header[3] != 0x3b)
        return -UNW_ENOINFO;
    __builtin_memcpy(&entries, header + 8, sizeof entries);
    if (entries > (size_t)(module->tables.high - header - 12) / 8)
        return -UNW_ENOINFO;
    walker->tables = module->tables;
    walker->of_signal = walker->of_signal || cfi_find(&module->tables, pc).kind == RULE_SIGNAL;
    unw_dyn_info_t table = {
        .start_ip = module->start,
        .end_ip = module->end,
        .format = UNW_INFO_FORMAT_REMOTE_TABLE,
        .u.rti = {.segbase = (unw_word_t)header,
                  .table_data = (unw_word_t)(header + 12),
                  .table_len = (unw_word_t)entries * 8 / sizeof(unw_word_t)},
    };
    int result = remote.search_table(as, pc, &table, info, need, arg);
    walker->unknown = result < 0;
    return result;
}

/* What may be read beside the tables and the stack that the walk is on. */
static bool readable_elsewhere(const struct walker *walker, uintptr_t address)
{
    if (address & 7)
        return false;
    for (uint32_t i = 0; i < walker->left_count; i++)
        if (address - walker->left[i].low < walker->left[i].size)
            return true;
    /* Instructions: libunwind wants to know whether a frame without tables is that of a signal. */
    return modules_find(address) != 0 && sys_readable(address);
}

static int access_mem(unw_addr_space_t as, unw_word_t address, unw_word_t *value, int write,
                      void *arg)
{
    struct walker *walker = arg;
    (void)as;
    if (write)
        return -UNW_EINVAL;
    uintptr_t low = (uintptr_t)walker->tables.low & ~(uintptr_t)7;
    uintptr_t high =
        ((uintptr_t)walker->tables.high + 7) & ~(uintptr_t)7; /* of one page in any case */
    bool of_tables = address >= low && address < high && high - address >= 8;
    if (!of_tables && !stack_readable(&walker->view, address) &&
        !readable_elsewhere(walker, address))
        return -UNW_EINVAL;
    __builtin_memcpy(value, (const void *)address, sizeof *value);
    return 0;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t number, unw_word_t *value, int write,
                      void *arg)
{
    const struct walker *walker = arg;
    (void)as;
    if (write || number < 0 || number > UNW_X86_64_RIP)
        return -UNW_EBADREG;
    *value = walker->registers[number];
    return 0;
}

static int no_fpreg(unw_addr_space_t as, unw_regnum_t number, unw_fpreg_t *value, int write,
                    void *arg)
{
    (void)as, (void)number, (void)value, (void)write, (void)arg;
    return -UNW_EBADREG;
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *info, void *arg)
{
    (void)as, (void)info, (void)arg;
}

static int no_list(unw_addr_space_t as, unw_word_t *list, void *arg)
{
    (void)as, (void)list, (void)arg;
    return -UNW_ENOINFO;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
    (void)as, (void)cursor, (void)arg;
    return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t as, unw_word_t pc, char *name, size_t size, unw_word_t *offset,
                   void *arg)
{
    (void)as, (void)pc, (void)name, (void)size, (void)offset, (void)arg;
    return -UNW_ENOINFO;
}

static unw_accessors_t accessors = {find_proc_info, put_unwind_info, no_list,   access_mem,
                                    access_reg,     no_fpreg,        no_resume, no_name};

#define TEXT(x) #x
#define EXPANDED(x) TEXT(x)
#define LOAD(table, library, member, name)                                                         \
    ((table).member = (__typeof__((table).member))dlsym(library, name))

/*
 * libunwind opens a pipe when it starts, for checks of memory that its remote mode leaves to us,
 * and keeps it: the program's next descriptor would be another than without us. A pipe that came to
 * the two lowest free numbers meanwhile is that one, and is closed.
 */
static void start_without_pipe(void)
{
    struct stat st[2];
    int fds[2] = {sys_open("/dev/null", O_RDONLY, 0), sys_open("/dev/null", O_RDONLY, 0)};
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            sys_close(fds[i]);
    space = remote.create_addr_space(&accessors, 0);
    if (space == NULL)
        return;
    remote.set_caching_policy(space, UNW_CACHE_NONE);
    for (int i = 0; i < 2; i++)
        if (fds[i] < 0 || sys_failed(sys_fstat(fds[i], &st[i])) ||
            !S_ISFIFO(st[i].st_mode))
            return;
    if (st[0].st_ino == st[1].st_ino && st[0].st_dev == st[1].st_dev) {
        sys_close(fds[0]);
        sys_close(fds[1]);
    }
}

static void load_remote(void)
{
    void *library = dlopen("libunwind-x86_64.so.8", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return;
    LOAD(remote, library, create_addr_space, EXPANDED(UNW_OBJ(create_addr_space)));
    LOAD(remote, library, set_caching_policy, EXPANDED(UNW_OBJ(set_caching_policy)));
    LOAD(remote, library, init_remote, EXPANDED(UNW_OBJ(init_remote)));
    LOAD(remote, library, step, EXPANDED(UNW_OBJ(step)));
    LOAD(remote, library, get_reg, EXPANDED(UNW_OBJ(get_reg)));
    LOAD(remote, library, search_table, EXPANDED(UNW_OBJ(dwarf_search_unwind_table)));
    if (!remote.create_addr_space || !remote.set_caching_policy || !remote.init_remote ||
        !remote.step || !remote.get_reg || !remote.search_table)
        return;
    start_without_pipe();
}

static void load_oracle(void)
{
    void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return;
    LOAD(local, library, getcontext, "_Ux86_64_getcontext");
    LOAD(local, library, init_local, "_ULx86_64_init_local");
    LOAD(local, library, step, "_ULx86_64_step");
    LOAD(local, library, get_reg, "_ULx86_64_get_reg");
    LOAD(local, library, set_caching_policy, "_ULx86_64_set_caching_policy");
    unw_addr_space_t *own = dlsym(library, "_ULx86_64_local_addr_space");
    oracle = local.getcontext && local.init_local && local.step && local.get_reg &&
             local.set_caching_policy && own;
    if (oracle)
        local.set_caching_policy(*own, UNW_CACHE_NONE);
}

void libunwind_start(void)
{
    if (options.libunwind)
        load_remote();
    if (options.verify)
        load_oracle();
    dlerror(); /* what is missing here must not be the program's last error */
}

void libunwind_forked(void)
{
    if (in_use)
        space = NULL;
}

static bool enter(void)
{
    for (int spins = 0; spins < SPINS_MAX; spins++) {
        uint32_t nobody = 0;
        if (ts_cas_acq_rel(&in_use, &nobody, 1))
            return true;
        __builtin_ia32_pause();
    }
    return false;
}

/* The frame just left was that of a signal: the next one is on any stack, or just above it. */
static void follow_signal(struct walker *walker, uintptr_t sp)
{
    walker->of_signal = false;
    if (sp - walker->view.low < walker->view.size + RED_ZONE &&
        stack_readable(&walker->view, sp & ~(uintptr_t)7))
        return;
    if (!stack_is_own(walker->view.thread, walker->view.low) && walker->left_count < LEFT_MAX)
        walker->left[walker->left_count++] = walker->view;
    stack_move(&walker->view, sp);
}

/* True: the root was reached, or the bound. A frame that libunwind knows nothing of it would try to
 * pass by guesses of its own, uncounted: the stack ends there. */
static bool walk_from(unw_cursor_t *cursor, struct walker *walker, const struct walk_start *start,
                      struct walk_frames *frames, uint32_t *count)
{
    unw_word_t pc = 0, sp = 0;
    bool outside = false; /* of our own frames */
    int stepped = 1;
    while (stepped > 0) {
        if (remote.get_reg(cursor, UNW_REG_IP, &pc) < 0 ||
            remote.get_reg(cursor, UNW_REG_SP, &sp) < 0)
            return false;
        if (pc == 0)
            return true;
        if (walker->of_signal)
            follow_signal(walker, sp);
        outside = outside || (pc == start->pc && sp == start->sp);
        if (outside)
            frames->fresh[(*count)++] = (struct walk_state){pc, sp, 0, 0};
        if (*count == options.depth)
            return true;
        stepped = remote.step(cursor);
        if (walker->unknown)
            return false;
    }
    return stepped == 0;
}

bool libunwind_walk(struct thread *thread, const struct walk_start *start,
                    struct walk_frames *frames, uint32_t *count, bool *lost)
{
    struct walker walker = {.tables = {NULL, NULL, NULL}};
    unw_cursor_t cursor;
    /* libunwind takes memory and blocks signals. */
    if (space == NULL || !sys_may(SYS_LIST_MAP) || !sys_may(SYS_LIST_TRY) || !enter())
        return false;
    /* The registers as they are here: our own frames are unwound first, which restores the
     * caller's. */
    unw_word_t *r = walker.registers;
    __asm__ volatile("movq %%rbx, %0\n\tmovq %%rbp, %1\n\tmovq %%rsp, %2\n\tleaq 0f(%%rip), "
                     "%%rax\n0:\tmovq %%rax, %3"
                     : "=m"(r[UNW_X86_64_RBX]), "=m"(r[UNW_X86_64_RBP]), "=m"(r[UNW_X86_64_RSP]),
                       "=m"(r[UNW_X86_64_RIP])
                     :
                     : "rax", "memory");
    __asm__ volatile("movq %%r12, %0\n\tmovq %%r13, %1\n\tmovq %%r14, %2\n\tmovq %%r15, %3"
                     : "=m"(r[UNW_X86_64_R12]), "=m"(r[UNW_X86_64_R13]), "=m"(r[UNW_X86_64_R14]),
                       "=m"(r[UNW_X86_64_R15]));
    stack_begin(&walker.view, thread, r[UNW_X86_64_RSP]);
    *count = 0;
    if (remote.init_remote(&cursor, space, &walker) == 0)
        *lost = !walk_from(&cursor, &walker, start, frames, count);
    ts_store_release(&in_use, 0);
    return *count > 0;
}

void libunwind_verify(const struct walk_start *start, const struct walk_frames *frames)
{
    unw_tdep_context_t context;
    unw_cursor_t cursor;
    unw_word_t pc = 0, sp = 0;
    uint32_t at = 0, bound = frames->count < frames->checked ? frames->count : frames->checked;
    int kept = errno;
    if (!oracle || local.getcontext(&context) < 0 || local.init_local(&cursor, &context) < 0) {
        errno = kept;
        return;
    }
    while (local.step(&cursor) > 0 && local.get_reg(&cursor, UNW_REG_IP, &pc) >= 0 && pc != 0) {
        local.get_reg(&cursor, UNW_REG_SP, &sp);
        if (at == 0 && !(pc == start->pc && sp == start->sp))
            continue;
        if (at == bound || frames->state[frames->count - 1 - at].pc != pc)
            break;
        at++;
        pc = 0;
    }
    errno = kept;
    /* A stack that we cut, guessed or lost is compared as far as we claim to know it. */
    bool agrees =
        at == bound || (frames->state[frames->count - 1 - at].pc == 0 && at + 1 == frames->count);
    if (agrees && frames->complete && frames->checked == UINT32_MAX)
        agrees = pc == 0; /* libunwind ended where we did */
    region_gauge(TS_GAUGE_VERIFIED, 1);
    if (!agrees)
        region_drop(TS_DROP_VERIFY);
}

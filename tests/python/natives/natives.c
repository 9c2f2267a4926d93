/*
 * A module of C functions that call Python, and are told apart by nothing but where they return to:
 * functions of one kind have frames of one size. It keeps its own books of the blocks of
 * `allocate`, by the functions in which each was allocated, outermost first, and its domain:
 *
 *     call_a ... call_f       call a Python function
 *     catch_a, catch_b        the same, and let its exception go
 *     pull_a ... pull_c       resume a generator
 *     take_a ... take_d       allocate
 *
 * Each pushes its name, and that of what it calls, in its thread.
 *
 * deep_plain, deep_moved, shallow_moved call a Python function so that all that a walk of the stack
 * read under deep_moved lies where it lay, left over, under shallow_moved: only the frame pointer
 * that the interpreter's loop saved tells that another stack stands there. Under deep_plain the
 * loop stands at the same place, and nobody further out has a frame pointer.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "include/tracesnap.h"

#include <elf.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline))
#define DEPTH_MAX 128
#define PATH_MAX_BYTES 1024
#define PATHS (1u << 15) /* a power of 2 */
#define KEPT 4096u

struct row {
    char path[PATH_MAX_BYTES]; /* "" = empty */
    uint64_t allocated_count, allocated_size, count, size;
};

static struct row *rows; /* by hash of the path; the lock of the interpreter is held */

static struct kept {
    void *block;
    struct row *row;
    size_t size;
    int domain;
} kept[KEPT];

static __thread const char *words[DEPTH_MAX];
static __thread int depth;

static int push(const char *word, PyObject *callee)
{
    int before = depth;
    if (depth + 3 > DEPTH_MAX)
        abort();
    words[depth++] = word;
    if (callee != NULL)
        words[depth++] = PyUnicode_AsUTF8(callee);
    return before;
}

static struct row *row_of_path(void)
{
    char path[PATH_MAX_BYTES], *end = path;
    uint32_t hash = 0;
    for (int i = 0; i < depth; i++) {
        if (end + strlen(words[i]) + 2 > path + sizeof path)
            abort();
        end = stpcpy(stpcpy(end, i > 0 ? " " : ""), words[i]);
    }
    for (const char *c = path; *c != '\0'; c++)
        hash = hash * 16777619u ^ (unsigned char)*c;
    for (uint32_t i = hash % PATHS;; i = (i + 1) % PATHS) {
        if (rows[i].path[0] == '\0')
            strcpy(rows[i].path, path);
        if (strcmp(rows[i].path, path) == 0)
            return &rows[i];
    }
}

/* Of each domain; called from one place. */
static const struct domain {
    const char *name;
    void *(*make)(size_t size);
    void (*end)(void *block);
} domains[] = {
    {"libc", malloc, free},
    {"raw", PyMem_RawMalloc, PyMem_RawFree},
    {"mem", PyMem_Malloc, PyMem_Free},
    {"obj", PyObject_Malloc, PyObject_Free},
};

static void release(struct kept *old)
{
    if (old->block == NULL)
        return;
    old->row->count--;
    old->row->size -= old->size;
    domains[old->domain].end(old->block);
    old->block = NULL;
}

/* what: size * 4 + domain */
static NOINLINE void allocate(size_t what)
{
    static uint32_t next;
    struct kept *new = &kept[next++ * 2654435761u % KEPT];
    int before = push(domains[what % 4].name, NULL);
    release(new);
    *new = (struct kept){NULL, row_of_path(), what / 4, (int)(what % 4)};
    new->block = domains[new->domain].make(new->size);
    new->row->allocated_count++;
    new->row->allocated_size += new->size;
    new->row->count++;
    new->row->size += new->size;
    depth = before;
}

#define TAKE(name)                                                                                 \
    static NOINLINE PyObject *name(PyObject *module, PyObject *what)                               \
    {                                                                                              \
        int before = push(#name, NULL);                                                            \
        allocate(PyLong_AsSize_t(what));                                                           \
        depth = before;                                                                            \
        Py_RETURN_NONE;                                                                            \
    }
TAKE(take_a)
TAKE(take_b)
TAKE(take_c)
TAKE(take_d)

#define CALL(name)                                                                                 \
    static NOINLINE PyObject *name(PyObject *module, PyObject *function)                           \
    {                                                                                              \
        int before = push(#name, ((PyFunctionObject *)function)->func_name);                       \
        PyObject *result = PyObject_CallNoArgs(function);                                          \
        depth = before;                                                                            \
        return result;                                                                             \
    }
CALL(call_a)
CALL(call_b)
CALL(call_c)
CALL(call_d)
CALL(call_e)
CALL(call_f)

#define CATCH(name)                                                                                \
    static NOINLINE PyObject *name(PyObject *module, PyObject *function)                           \
    {                                                                                              \
        int before = push(#name, ((PyFunctionObject *)function)->func_name);                       \
        PyObject *result = PyObject_CallNoArgs(function);                                          \
        depth = before;                                                                            \
        if (result == NULL)                                                                        \
            PyErr_Clear();                                                                         \
        Py_XDECREF(result);                                                                        \
        Py_RETURN_NONE;                                                                            \
    }
CATCH(catch_a)
CATCH(catch_b)

#define PULL(name)                                                                                 \
    static NOINLINE PyObject *name(PyObject *module, PyObject *generator)                          \
    {                                                                                              \
        int before = push(#name, ((PyGenObject *)generator)->gi_name);                             \
        PyObject *result = PyIter_Next(generator);                                                 \
        depth = before;                                                                            \
        if (result == NULL)                                                                        \
            PyErr_SetString(PyExc_RuntimeError, "the generator has ended");                        \
        return result;                                                                             \
    }
PULL(pull_a)
PULL(pull_b)
PULL(pull_c)

/* What runs Python frames in between (PEP 523): each calls `loop` with what it got. */
#define HIDDEN __attribute__((used, visibility("hidden")))
#define PAD 16384 /* of deep_...: more than what lies between it and the loop */
#define ROOM 1024 /* in frame_moved under deep_moved; frame_plain: and a register's */

HIDDEN void *loop, *arguments[3];
HIDDEN size_t room;
static char left_over[ROOM + PAD];
static char *lowest;   /* the stack's, at the loop's call under deep_moved */
static size_t missing; /* how much further up shallow_moved calls frame_moved */

/* At that call: the lowest byte of the stack. */
HIDDEN void arrange(char *low)
{
    if (room == 0)
        missing = low - lowest;
    else if (room == ROOM)
        memcpy(left_over, lowest = low, sizeof left_over);
    else
        memcpy(low, left_over, room);
}

__asm__(".text\n"
        ".type frame_plain, @function\n"
        "frame_plain:\n"
        "    .cfi_startproc\n"
        "    sub $1032, %rsp\n"
        "    .cfi_adjust_cfa_offset 1032\n"
        "    call *loop(%rip)\n"
        "    add $1032, %rsp\n"
        "    .cfi_adjust_cfa_offset -1032\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size frame_plain, . - frame_plain\n"
        ".type frame_moved, @function\n"
        "frame_moved:\n"
        "    .cfi_startproc\n"
        "    push %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset %rbp, -16\n"
        "    mov %rsp, %rbp\n"
        "    .cfi_def_cfa_register %rbp\n"
        "    sub room(%rip), %rsp\n"
        "    mov %rdi, arguments(%rip)\n"
        "    mov %rsi, arguments+8(%rip)\n"
        "    mov %rdx, arguments+16(%rip)\n"
        "    mov %rsp, %rdi\n"
        "    call arrange\n"
        "    mov arguments(%rip), %rdi\n"
        "    mov arguments+8(%rip), %rsi\n"
        "    mov arguments+16(%rip), %rdx\n"
        "    call *loop(%rip)\n"
        "    leave\n"
        "    .cfi_def_cfa %rsp, 8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size frame_moved, . - frame_moved\n");
extern char frame_plain[] __attribute__((visibility("hidden")));
extern char frame_moved[] __attribute__((visibility("hidden")));

static inline __attribute__((always_inline)) PyObject *
framed(const char *name, const char *hook, void *code, size_t bytes, PyObject *function)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    int before = push(name, NULL);
    push(hook, ((PyFunctionObject *)function)->func_name);
    room = bytes;
    _PyInterpreterState_SetEvalFrameFunc(interpreter, (_PyFrameEvalFunction)code);
    PyObject *result = PyObject_CallNoArgs(function);
    _PyInterpreterState_SetEvalFrameFunc(interpreter, _PyEval_EvalFrameDefault);
    depth = before;
    return result;
}

static NOINLINE PyObject *deep_plain(PyObject *module, PyObject *function)
{
    volatile char pad[PAD];
    pad[0] = 0;
    return framed("deep_plain", "frame_plain", frame_plain, 0, function);
}

static NOINLINE PyObject *deep_moved(PyObject *module, PyObject *function)
{
    volatile char pad[PAD];
    pad[0] = 0;
    return framed("deep_moved", "frame_moved", frame_moved, ROOM, function);
}

/* The first call finds out where it stands. */
static NOINLINE PyObject *shallow_moved(PyObject *module, PyObject *function)
{
    return framed("shallow_moved", "frame_moved", frame_moved, missing, function);
}

/*
 * cut_short: a longjmp leaves the tracer in the midst of an allocation, after so many of its
 * instructions; a stack that was never there, of chain_0 and chain_1, comes next.
 */
#define CHAIN_LENGTH 16

static NOINLINE void chain(unsigned bits, int left);

#define CHAIN(name)                                                                                \
    static NOINLINE void name(unsigned bits, int left)                                             \
    {                                                                                              \
        int before = push(#name, NULL);                                                            \
        chain(bits, left);                                                                         \
        depth = before;                                                                            \
    }
CHAIN(chain_0)
CHAIN(chain_1)

static NOINLINE void chain(unsigned bits, int left)
{
    if (left == 0)
        allocate(100 * 4 + 3);
    else
        (bits & 1 ? chain_1 : chain_0)(bits >> 1, left - 1);
    __asm__ volatile("" ::: "memory");
}

static sigjmp_buf out;
static volatile long instructions; /* of the tracer, until it is left */
static uintptr_t tracer_low, tracer_high;

static void on_instruction(int number, siginfo_t *info, void *context)
{
    uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (pc - tracer_low < tracer_high - tracer_low && --instructions <= 0)
        siglongjmp(out, 1);
}

static int find_tracer(struct dl_phdr_info *info, size_t size, void *unused)
{
    for (int i = 0; strstr(info->dlpi_name, "libtracesnap") != NULL && i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_flags & PF_X) {
            tracer_low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            tracer_high = tracer_low + info->dlpi_phdr[i].p_memsz;
        }
    return 0;
}

#define FLAG 0x100L /* of the processor: a signal after each instruction */

/* The peak is reset, so that the tracer knows the stack, but must do something about its cell. */
static NOINLINE void begin_allocation(bool stepping)
{
    void *volatile block;
    tracesnap_reset_peak();
    __asm__ volatile("pushf; orq %0, (%%rsp); popf" ::"r"(stepping ? FLAG : 0) : "memory", "cc");
    block = malloc(40);
    __asm__ volatile("pushf; andq %0, (%%rsp); popf" ::"r"(~FLAG) : "memory", "cc");
    free(block);
}

/* Returns whether there were so many instructions. */
static NOINLINE PyObject *cut_short(PyObject *module, PyObject *count)
{
    struct sigaction action = {.sa_sigaction = on_instruction, .sa_flags = SA_SIGINFO};
    int before = push("cut_short", NULL);
    volatile bool cut = true;
    sigaction(SIGTRAP, &action, NULL);
    dl_iterate_phdr(find_tracer, NULL);
    instructions = PyLong_AsLong(count);
    if (sigsetjmp(out, 1) == 0) {
        for (volatile int left = 2; left >= 0; left--) /* one stack: volatile, not unrolled */
            begin_allocation(left == 0);
        cut = false;
    }
    chain((unsigned)PyLong_AsLong(count), CHAIN_LENGTH);
    depth = before;
    return PyBool_FromLong(cut);
}

static PyObject *save(PyObject *module, PyObject *path)
{
    FILE *file = fopen(PyUnicode_AsUTF8(path), "w");
    for (uint32_t i = 0; file != NULL && i < PATHS; i++)
        if (rows[i].path[0] != '\0')
            fprintf(file, "%lu %lu %lu %lu %s\n", rows[i].allocated_count, rows[i].allocated_size,
                    rows[i].count, rows[i].size, rows[i].path);
    if (file == NULL || fclose(file) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

#define FUNCTION(name)                                                                             \
    {                                                                                              \
#name, name, METH_O, NULL                                                                  \
    }
static PyMethodDef functions[] = {
    FUNCTION(take_a),      FUNCTION(take_b),        FUNCTION(take_c),    FUNCTION(take_d),
    FUNCTION(call_a),      FUNCTION(call_b),        FUNCTION(call_c),    FUNCTION(call_d),
    FUNCTION(call_e),      FUNCTION(call_f),        FUNCTION(catch_a),   FUNCTION(catch_b),
    FUNCTION(pull_a),      FUNCTION(pull_b),        FUNCTION(pull_c),    FUNCTION(deep_plain),
    FUNCTION(deep_moved),  FUNCTION(shallow_moved), FUNCTION(cut_short), FUNCTION(save),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "natives", NULL, -1, functions};

PyMODINIT_FUNC PyInit_natives(void)
{
    loop = (void *)_PyEval_EvalFrameDefault;
    rows = calloc(PATHS, sizeof *rows);
    return rows != NULL ? PyModule_Create(&definition) : PyErr_NoMemory();
}

/*
 * x86-64 under Linux and the System V ABI: system calls without libc's errno, the DWARF numbers of
 * the registers that unwinding follows, the frame that a signal leaves, and where the thread's own
 * memory ends.
 */
#ifndef TRACESNAP_SHIM_MACHINE_X86_64_H
#define TRACESNAP_SHIM_MACHINE_X86_64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Results are the kernel's own: negative errno on failure. Never touches errno. */
static inline long sys_call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define sys_call(number, a, b, c, d)                                                               \
    sys_call6((number), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* What seccomp calls this machine (linux/audit.h: AUDIT_ARCH_X86_64). */
#define MACHINE_AUDIT_ARCH 0xc000003eu

/*
 * Defines a function `hook` that jumps to `slowly` with all its arguments if the first is
 * SYS_seccomp (317) or the pointer `next` is still NULL, and else to *next. No frame, no register
 * changed but rax, which holds no argument.
 */
#define MACHINE_SYSCALL_HOOK(hook, slowly, next)                                                   \
    __asm__(".pushsection .text\n\t.globl " hook "\n\t.type " hook ", @function\n" hook            \
            ":\n\t.cfi_startproc\n\tendbr64\n\tmovq " next "(%rip), %rax\n\t"                      \
            "cmpq $317, %rdi\n\tje 1f\n\ttestq %rax, %rax\n\tje 1f\n\tjmp *%rax\n1:\tjmp " slowly  \
            "\n\t.cfi_endproc\n\t.size " hook ", . - " hook "\n\t.popsection");

/* DWARF register numbers (System V ABI, AMD64 supplement, figure 3.36). */
#define MACHINE_DWARF_RBP 6
#define MACHINE_DWARF_RSP 7
#define MACHINE_DWARF_RA 16

/*
 * Offsets from the CFA of the frame that returns into the signal trampoline to the saved registers
 * of the interrupted code: struct ucontext, uc_mcontext.gregs (Linux, asm/sigcontext.h).
 */
#define MACHINE_SIGNAL_RBP 120
#define MACHINE_SIGNAL_RSP 160
#define MACHINE_SIGNAL_PC 168

/*
 * A copy that lies in another register than its original. What a function does before it makes one
 * of its argument then needs no saved register, hence no frame (GCC 12 opens both at the top
 * otherwise).
 */
#define MACHINE_APART(value)                                                                       \
    ({                                                                                             \
        __typeof__(value) apart_;                                                                  \
        __asm__("mov %1, %0" : "=&r"(apart_) : "r"(value));                                        \
        apart_;                                                                                    \
    })

/*
 * The variable that a function does nothing but load and return: "mov variable(%rip), %rax; ret",
 * of 8 or (wide = false) 4 bytes. NULL: it does something else.
 */
static inline const void *machine_loaded_by(const void *function, bool wide)
{
    const uint8_t *code = function;
    if (code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e && code[3] == 0xfa) /* endbr64 */
        code += 4;
    if (wide && *code++ != 0x48)
        return NULL;
    if (code[0] != 0x8b || code[1] != 0x05 || code[6] != 0xc3)
        return NULL;
    uint32_t distance = (uint32_t)code[2] | (uint32_t)code[3] << 8 | (uint32_t)code[4] << 16 |
                        (uint32_t)code[5] << 24;
    return code + 6 + (int32_t)distance;
}

/* The thread control block: of a thread made by pthread_create it lies just above its stack. */
static inline uintptr_t machine_thread_pointer(void)
{
    uintptr_t tp;
    __asm__("movq %%fs:0, %0" : "=r"(tp));
    return tp;
}

#endif

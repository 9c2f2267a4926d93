/*
 * Frames that no compiler makes, or makes rarely. Most are called as node(strand, level), enter their
 * return address in the shadow and call go_below, which takes it out.
 */
#define S_DEPTH 0
#define S_SHADOW 8

/* The return address lies at \at(%rsp); rdi = the strand. */
.macro enter at
    movq \at(%rsp), %rax
    decq %rax
    movq S_DEPTH(%rdi), %rcx
    movq %rax, S_SHADOW(%rdi,%rcx,8)
    incq S_DEPTH(%rdi)
.endm

.macro begin name
    .globl \name
    .type \name, @function
    .p2align 4
\name:
.endm

.macro finish name
    .size \name, . - \name
.endm

    .text

/* No CFI, but a frame pointer. */
begin asm_no_cfi
    pushq %rbp
    movq %rsp, %rbp
    enter 8
    subq $48, %rsp
    call go_below
    leave
    ret
finish asm_no_cfi

/* Neither. rbp is the caller's. */
begin bare_kept
    enter 0
    subq $24, %rsp
    call go_below
    addq $24, %rsp
    ret
finish bare_kept

/* Neither, and rbp is no address. */
begin bare_trashed
    pushq %rbp
    enter 8
    movq $0x12345, %rbp
    subq $32, %rsp
    call go_below
    addq $32, %rsp
    popq %rbp
    ret
finish bare_trashed

/* rbp looks like a frame pointer further up, but nothing can be read there. */
begin bare_wild
    pushq %rbp
    enter 8
    movq $-16, %rbp
    subq $32, %rsp
    call go_below
    addq $32, %rsp
    popq %rbp
    ret
finish bare_wild

/* The same, at the very end of all addresses. */
begin bare_last
    pushq %rbp
    enter 8
    movq $-1, %rbp
    subq $32, %rsp
    call go_below
    addq $32, %rsp
    popq %rbp
    ret
finish bare_last

/* Many callers of malloc with frames of one size: call_sites + n * SITE_STEP (strand.h). */
    .p2align 6
begin call_sites
    .cfi_startproc
    .rept 256
    .p2align 6
    enter 0
    movq %rsi, %rdi
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call malloc@PLT
1:  addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    ret
    .endr
    .cfi_endproc
finish call_sites
    .globl call_site_return
call_site_return = 1b

/* The CFA comes from a register that is neither rsp nor rbp. */
begin asm_by_rbx
    .cfi_startproc
    pushq %rbx
    .cfi_def_cfa_offset 16
    .cfi_offset %rbx, -16
    enter 8
    movq %rsp, %rbx
    .cfi_def_cfa_register %rbx
    subq $40, %rsp
    andq $-64, %rsp
    call go_below
    movq %rbx, %rsp
    .cfi_def_cfa_register %rsp
    popq %rbx
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
finish asm_by_rbx

/* The caller's rbp is kept in another register. */
begin asm_rbp_in_register
    .cfi_startproc
    pushq %r12
    .cfi_def_cfa_offset 16
    .cfi_offset %r12, -16
    enter 8
    movq %rbp, %r12
    .cfi_register %rbp, %r12
    movq %rsp, %rbp
    orq $7, %rbp
    call go_below
    movq %r12, %rbp
    .cfi_restore %rbp
    popq %r12
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
finish asm_rbp_in_register

/* rbp is saved at an unusual place and then holds something else. */
begin asm_rbp_trashed
    .cfi_startproc
    subq $72, %rsp
    .cfi_def_cfa_offset 80
    movq %rbp, 24(%rsp)
    .cfi_offset %rbp, -56
    enter 72
    movq $-1, %rbp
    call go_below
    movq 24(%rsp), %rbp
    .cfi_restore %rbp
    addq $72, %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
finish asm_rbp_trashed

/* One call, each time with another number of words pushed before it would be: here five. */
begin asm_pushes
    .cfi_startproc
    enter 0
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq $1
    .cfi_adjust_cfa_offset 8
    pushq $2
    .cfi_adjust_cfa_offset 8
    pushq $3
    .cfi_adjust_cfa_offset 8
    pushq $4
    .cfi_adjust_cfa_offset 8
    call go_below
    addq $40, %rsp
    .cfi_adjust_cfa_offset -40
    ret
    .cfi_endproc
finish asm_pushes

/* The call comes after an epilogue. */
begin asm_remember
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    testq %rdi, %rdi
    jnz 1f
    .cfi_remember_state
    leave
    .cfi_def_cfa %rsp, 8
    .cfi_restore %rbp
    ret
1:  .cfi_restore_state
    enter 8
    subq $80, %rsp
    call go_below
    leave
    .cfi_def_cfa %rsp, 8
    .cfi_restore %rbp
    ret
    .cfi_endproc
finish asm_remember

/* A frame larger than what tells one stack from another at a glance. */
begin asm_huge
    .cfi_startproc
    enter 0
    subq $70008, %rsp
    .cfi_def_cfa_offset 70016
    movq %rdi, (%rsp)
    call go_below
    addq $70008, %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
finish asm_huge

/* Leaves by a jump to a function whose frame then lies where its own did. */
begin asm_jumps
    .cfi_startproc
    subq $120, %rsp
    .cfi_def_cfa_offset 128
    movq %rdi, 8(%rsp)
    addq $120, %rsp
    .cfi_def_cfa_offset 8
    jmp go
    .cfi_endproc
finish asm_jumps

/* step_through(strand, function, argument): a trap after each instruction of the function. */
begin step_through
    .cfi_startproc
    enter 0
    pushq %rbx
    .cfi_def_cfa_offset 16
    .cfi_offset %rbx, -16
    movq %rdi, %rbx
    movq %rdx, %rdi
    pushfq
    .cfi_adjust_cfa_offset 8
    orq $0x100, (%rsp)
    popfq
    .cfi_adjust_cfa_offset -8
    call *%rsi
    .globl step_through_return
step_through_return:
    pushfq
    .cfi_adjust_cfa_offset 8
    andq $~0x100, (%rsp)
    popfq
    .cfi_adjust_cfa_offset -8
    decq S_DEPTH(%rbx)
    popq %rbx
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .globl step_through_end
step_through_end:
finish step_through

/* For step_through. Its callee takes the arguments off the stack: the rule at the return address is
 * another one when a trap happens there. */
begin stepped_popped
    .cfi_startproc
    pushq $1
    .cfi_adjust_cfa_offset 8
    pushq $2
    .cfi_adjust_cfa_offset 8
    call pops_arguments
    .cfi_adjust_cfa_offset -16
    .globl stepped_popped_return
stepped_popped_return:
    ret
    .cfi_endproc
finish stepped_popped

begin pops_arguments
    .cfi_startproc
    ret $16
    .cfi_endproc
finish pops_arguments

/* switch_stack(save, to): pushes what is to be kept, stores the stack pointer and takes another. */
begin switch_stack
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
finish switch_stack

/* Where a new stack returns to at its first switch; r12 = the strand. */
begin strand_begin
    .cfi_startproc
    .cfi_undefined %rip
    movq %r12, %rdi
    call coroutine_run
    ud2
    .cfi_endproc
finish strand_begin

    .section .note.GNU-stack,"",@progbits

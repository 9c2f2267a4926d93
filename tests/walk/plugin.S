/*
 * A library that is closed and opened all the time: built twice, with frames of different sizes but
 * instructions of the same length, so that the same address needs another rule.
 */
    .text
    .globl plugin_node
    .type plugin_node, @function
    .p2align 4
plugin_node:
    .cfi_startproc
    movq (%rsp), %rax
    decq %rax
    movq (%rdi), %rcx
    movq %rax, 8(%rdi,%rcx,8)
    incq (%rdi)
    subq $FRAME, %rsp
    .cfi_def_cfa_offset FRAME + 8
    call *%rdx
    addq $FRAME, %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size plugin_node, . - plugin_node

    .section .note.GNU-stack,"",@progbits

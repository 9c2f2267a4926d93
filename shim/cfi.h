/*
 * DWARF call frame information: from the .eh_frame of a module to the one rule that unwinding needs
 * at a program counter. Only what x86-64 compilers emit for ordinary frames is expressed; all else
 * is ODD, and libunwind's affair.
 */
#ifndef TRACESNAP_SHIM_CFI_H
#define TRACESNAP_SHIM_CFI_H

#include <stdbool.h>
#include <stdint.h>

enum rule_kind {
    RULE_NONE = 0, /* no unwind information */
    RULE_RSP,      /* CFA = rsp + cfa_offset */
    RULE_RBP,      /* CFA = rbp + cfa_offset */
    RULE_DEREF,    /* CFA = *(rbp + cfa_offset): a function that realigned its stack */
    RULE_SIGNAL,   /* the trampoline of a signal handler: registers are in the signal frame */
    RULE_END,      /* the return address is undefined: the outermost frame */
    RULE_ODD       /* anything else */
};

/* The return address lies at CFA - 8 in every kind that is not SIGNAL, END or ODD. */
struct rule {
    enum rule_kind kind;
    int32_t cfa_offset;
    bool rbp_saved;
    bool rbp_by_rbp;    /* the saved rbp lies at rbp + rbp_offset, else at CFA + rbp_offset */
    int32_t rbp_offset; /* all offsets are multiples of 8 */
};

/* The unwind tables of a module, and the bounds of the segment that holds them. */
struct cfi_tables {
    const uint8_t *low, *high;
    const uint8_t *header; /* .eh_frame_hdr */
};

/* The rule for the instruction at pc. Never reads outside [low, high). */
struct rule cfi_find(const struct cfi_tables *tables, uintptr_t pc);

#endif

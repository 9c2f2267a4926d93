/*
 * The functions of the tree, by kind. walk.py compiles nodes.c once for each of its variants and
 * says here, by VARIANTS, which there are: V(name) V(name)...
 */
#ifndef TRACESNAP_TESTS_WALK_NODES_H
#define TRACESNAP_TESTS_WALK_NODES_H

#include "strand.h"

/* Frames such as most stacks are made of, and others that unwind tables tell of. */
#define SOBER_KINDS(K, variant)                                                                    \
    K(variant, plain)                                                                              \
    K(variant, big)                                                                                \
    K(variant, dynamic)                                                                            \
    K(variant, array)                                                                              \
    K(variant, arguments)                                                                          \
    K(variant, tail)                                                                               \
    K(variant, jump)                                                                               \
    K(variant, noreturn)

#define KINDS(K, variant)                                                                          \
    SOBER_KINDS(K, variant)                                                                        \
    K(variant, aligned)                                                                            \
    K(variant, aligned_array)                                                                      \
    K(variant, signal)

/*
 * In asm.S, code generated at run time, and the variant `framed`, compiled without unwind tables,
 * of which those kinds count that have a frame pointer in the usual place. ODD_NODES: with tables
 * that take more than a CFA by rsp or rbp. UNCHARTED_NODES: a frame pointer is all there is.
 * BARE_NODES, and the variant `bare`: not even that, so that nobody knows what lies beyond.
 */
#define SOBER_NODES(X)                                                                             \
    X(plugin)                                                                                      \
    X(asm_rbp_trashed)                                                                             \
    X(asm_pushes)                                                                                  \
    X(asm_remember)                                                                                \
    X(catching)                                                                                    \
    X(asm_huge)                                                                                    \
    X(asm_jumps)

#define ODD_NODES(X)                                                                               \
    X(asm_by_rbx)                                                                                  \
    X(asm_rbp_in_register)

#define UNCHARTED_NODES(X)                                                                         \
    X(asm_no_cfi)                                                                                  \
    X(generated)                                                                                   \
    X(node_framed_plain)                                                                           \
    X(node_framed_big)                                                                             \
    X(node_framed_dynamic)                                                                         \
    X(node_framed_array)                                                                           \
    X(node_framed_jump)                                                                            \
    X(node_framed_signal)

#define BARE_NODES(X)                                                                              \
    X(bare_kept)                                                                                   \
    X(bare_trashed)                                                                                \
    X(bare_wild)                                                                                   \
    X(bare_last)

#define NODE_NAME(variant, kind) node_##variant##_##kind

#endif

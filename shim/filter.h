/*
 * What a system call filter (seccomp, in classic BPF) answers to a call, found out without making
 * the call: the filter is a function of the call alone, so it is computed.
 */
#ifndef TRACESNAP_SHIM_FILTER_H
#define TRACESNAP_SHIM_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The filter's return value for a call, as seccomp(2) defines it. What is no filter that the kernel
 * would accept is answered as by one that kills. code: `length` instructions, readable.
 */
uint32_t filter_answer(const struct sock_filter *code, uint32_t length,
                       const struct seccomp_data *call);

/* Whether the process lives after that answer and goes on by itself: the call is made or refused.
 */
bool filter_is_harmless(uint32_t answer);

#endif

/*
 * What depends on the processor: one file per architecture, chosen here.
 */
#ifndef TRACESNAP_SHIM_MACHINE_H
#define TRACESNAP_SHIM_MACHINE_H

#if defined(__x86_64__) && defined(__LP64__)
#include "machine_x86_64.h"
#else
#error "tracesnap's shim knows x86-64 only; a new machine_*.h is where another architecture begins"
#endif

#endif

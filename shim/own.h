/*
 * Data that belongs to the shim and is used by several of its files. Without this the compiler must
 * suppose that a program might put its own in their place, and asks for their addresses each time.
 */
#ifndef TRACESNAP_SHIM_OWN_H
#define TRACESNAP_SHIM_OWN_H

#define SHIM_OWN extern __attribute__((visibility("hidden")))

#endif

/*
 * Whether the interpreter's structures are what the table says: the first stacks are read with
 * care, each word tried before it is read, each object's type compared with what it should be. A
 * release that moved a field is noticed, and there are no Python lines then.
 */
#ifndef TRACESNAP_SHIM_PYTHON_PROOF_H
#define TRACESNAP_SHIM_PYTHON_PROOF_H

#include "shim/python.h"

#define PYTHON_PROOFS 32u

/* Reads the frames of a state with care. False: they are not what they should be, and
 * python.reading says so now. */
bool python_prove(uintptr_t state);

#endif

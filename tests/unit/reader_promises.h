/*
 * What capture.h promises of every capture, checked; for tests that feed the readers with nonsense.
 */
#ifndef TRACESNAP_TESTS_UNIT_READER_PROMISES_H
#define TRACESNAP_TESTS_UNIT_READER_PROMISES_H

#include "tools/base/capture.h"

/* The capture is in order. */
bool capture_is_right(const struct capture *capture);

/* The same, and reports of it by every grouping add up. */
bool keeps_promises(const struct capture *capture);

#endif

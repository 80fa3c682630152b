/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Filling a result. It is plain data, also in the memory that the worker shares with its parent. */
#ifndef EW_ACT_INJECT_INJECT_RESULT_H
#define EW_ACT_INJECT_INJECT_RESULT_H

#include "act/inject/inject_api.h"

/*
 * Sets status, reason and error (its text from fmt, its cure from the reason); the other fields
 * stay. Returns err, so that callers can write `return inject_end(…)`.
 */
int inject_end(struct inject_result *result, enum inject_status status, enum inject_reason reason,
	       int err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The most frequent status. */
#define inject_refuse(result, reason, err, ...)                                                    \
	inject_end(result, INJECT_REFUSED, reason, err, __VA_ARGS__)

/* INJECT_DONE, without an error. Returns 0. */
int inject_done(struct inject_result *result);

#endif

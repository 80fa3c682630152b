/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How an injection has ended: noted where that is known, put into words once, at the end. */
#ifndef EW_ACT_INJECT_INJECT_RESULT_H
#define EW_ACT_INJECT_INJECT_RESULT_H

#include "act/inject/inject_api.h"

/* Plain data, also in the memory that the worker shares with its parent. All zero: not yet known.
 */
struct inject_end {
	enum inject_status status;
	enum inject_reason reason;
	int err; /* negative errno; 0: done */
	/*
	 * What failed, on which object. A string literal, in which {pid}, {fd}, {inode} and
	 * {cookie} stand for those of the request, {tid} for the thread tried last, {seen} for
	 * seen, and {program} for the name of the program of process seen.
	 */
	const char *what;
	uint64_t seen;
};

/* Notes the end. Returns err, so that callers can write `return inject_end_as(…)`. */
int inject_end_as(struct inject_end *end, enum inject_status status, enum inject_reason reason,
		  int err, const char *what);

/* The same as INJECT_REFUSED. */
int inject_refuse(struct inject_end *end, enum inject_reason reason, int err, const char *what);
int inject_refuse_seen(struct inject_end *end, enum inject_reason reason, int err, const char *what,
		       uint64_t seen);

/* INJECT_DONE, without an error. Returns 0. */
int inject_done(struct inject_end *end);

/* Fills status, reason and error of *result; the other fields stay. Returns end->err. */
int inject_result_fill(const struct inject_request *request, const struct inject_end *end,
		       struct inject_result *result);

#endif

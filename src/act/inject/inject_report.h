/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an injection has to say, in memory that the tracer child shares with its parent: plain
 * data, nothing to free.
 */
#ifndef EW_ACT_INJECT_INJECT_REPORT_H
#define EW_ACT_INJECT_INJECT_REPORT_H

#include "act/inject/inject_api.h"
#include "base/error.h"

struct inject_report {
	struct inject_result res;
	struct error error;
};

/*
 * Sets status and reason, and *error from the text and the reason's cure; the rest of the result
 * stays. Returns err, so that callers can write `return inject_report_set(…)`.
 */
int inject_report_set(struct inject_report *rep, enum inject_status status,
		      enum inject_reason reason, int err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* The commonest case: INJECT_REFUSED. */
#define inject_refuse(rep, reason, err, ...)                                                       \
	inject_report_set(rep, INJECT_REFUSED, reason, err, __VA_ARGS__)

#endif

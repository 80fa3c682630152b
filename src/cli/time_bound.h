/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --timeout: a verb that only looks ends in time, whatever hangs. The verb runs in a child process,
 * since a process that waits for a file system that does not answer cannot end by itself. Scans end
 * some time before the bound, so that a report can be made of what was seen; only if that does not
 * help is the child given up.
 */
#ifndef EW_CLI_TIME_BOUND_H
#define EW_CLI_TIME_BOUND_H

#include <stdbool.h>
#include <stdint.h>

struct time_bound;

/*
 * Forks. In the child: returns true, with *ret to be handed to the functions below. In the parent:
 * returns false once the child has ended, with its exit code in *code and *reported set; when it
 * has not by the bound, or was killed, with EXIT_UNKNOWN, after a log_message that names what it
 * was waiting for. Without memory or processes there is no bound: true, and *ret is NULL.
 */
bool time_bound_begin(const char *verb, int64_t timeout, struct time_bound **ret, int *code,
		      bool *reported);

/* The functions below do nothing without a bound (NULL). */

/* When scans have to end, mono ns; 0: no bound. */
int64_t time_bound_scans(const struct time_bound *bound);

/* What the child begins to look at, for the message: "scan: processes". */
void time_bound_step(struct time_bound *bound, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Before the report is written: from now on the parent writes none. Does not return when it has
 * already given up. A reader of the report may take any time.
 */
void time_bound_write(struct time_bound *bound);

/* After that: what is left to do is bounded again. */
void time_bound_written(struct time_bound *bound);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Holding executors that wait for an agent: what `hold` and `run --hold-at` do alike. */
#ifndef EW_CLI_HOLDING_H
#define EW_CLI_HOLDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;
struct report;
struct session;
struct treatment;

/*
 * Holds executors of an audit. Shows the plan and asks, unless --yes was given; after a "yes" the
 * node is looked at again, and who does not wait any more is left alone. The caller holds the lock
 * of those who act, but for a dry run. Returns 0, or the exit code to end with after a message. A
 * log that fails in the middle is no reason to end: what was done is to be told.
 */
int holding_act(const struct options *options, struct session *session, const struct report *audit,
		struct treatment *treatment);

/*
 * `run --hold-at D`: holds, each once, who still waits D after its link ended. One that is refused
 * is tried again when that reason is gone.
 */
struct hold_later {
	const struct options *options;
	struct session *session;
	int64_t looked; /* mono ns */
	bool failed;	/* the audit log is not complete */
	struct {
		int32_t pid;
		uint64_t start;
		const char *reason_id; /* why it was refused; NULL: it was not */
	} * tried;
	size_t n, cap;
};

/* To be called at least each second; ctx is a struct hold_later. */
void hold_later_tick(void *ctx);
void hold_later_end(struct hold_later *later);

#endif

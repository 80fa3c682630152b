/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes executors notice that their links are dead, one after another, and proves each act by its
 * effect: the executor itself closes that socket.
 */
#ifndef EW_ACT_SHUTDOWN_H
#define EW_ACT_SHUTDOWN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/inject/inject_api.h"

struct audit_log;
struct fact_sink;
struct error;

struct shutdown_target {
	const char *executor_id;
	const char *framework_id;
	int32_t pid;
	uint64_t start; /* clock ticks since boot */
	int32_t fd;
	uint64_t inode;
	uint64_t cookie;       /* 0: not known */
	const char *forbidden; /* why it must not be touched: refused; NULL: it may be */
};

struct shutdown_options {
	enum inject_method method;
	bool dry_run;			   /* nothing is logged or touched: results are "skipped" */
	const volatile sig_atomic_t *stop; /* set: no further target is begun */
	void (*progress)(void *ctx, size_t done, size_t n); /* after each target; may be NULL */
	void *ctx;
};

/*
 * Treats the targets in their order and puts a FACT_ACT (phase "result") for each; a FACT_ACT of
 * phase "intent" before those that are begun. Result is "done" when the executor has closed the
 * socket, "failed" when it was begun and has not within 5 s, "refused" with the reason when nothing
 * was changed, "skipped" for a dry run or after *stop.
 * Returns 0, or a negative errno when the audit log could not be written: nothing is begun whose
 * intent is not on disk. log may be NULL for a dry run only.
 */
int act_shutdown(const struct shutdown_target *targets, size_t n,
		 const struct shutdown_options *options, struct audit_log *log,
		 const struct fact_sink *sink, struct error *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sets TCP keepalive on executors' ends of links, through a copy of the descriptor
 * (pidfd_getfd(2)), so that probes renew the link's entries of connection tracking. The executor
 * does not notice: no thread is stopped, and no data is sent.
 */
#ifndef EW_ACT_PROTECT_H
#define EW_ACT_PROTECT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/inject/inject_api.h"

struct audit_log;
struct error;
struct fact_sink;
struct protected;

struct protect_target {
	const char *executor_id;
	const char *framework_id;
	const char *refused;	       /* why it must not be touched; NULL: it may be */
	const char *skipped;	       /* why nothing is to be done; NULL: it is */
	const char *reason_id;	       /* of refused or skipped */
	struct inject_request request; /* its deadline is set when it is begun */
	uint32_t idle;		       /* TCP_KEEPIDLE, s; 0: by the lifetime of its entries */
	int64_t lifetime; /* ns that an idle link keeps an entry, by the sysctl; 0: not known */
	bool renewed;	  /* keepalive renews its entries already */
};

/* The entries of a link of which the first will be gone. Times are mono ns. */
struct protect_entry {
	enum { ENTRY_UNKNOWN, ENTRY_GONE, ENTRY_THERE } state;
	int64_t earliest, latest; /* when it expires, unless a packet renews it */
};

struct protect_options {
	bool undo;    /* back to what the links had before they were protected */
	bool dry_run; /* nothing is logged or touched */
	const volatile sig_atomic_t *stop; /* set: no further target is begun */
	/*
	 * Looks the entries up, now, of each target i with wanted[i]; fills entries[i]. Returns 0
	 * or a negative errno: no entry is known then.
	 */
	int (*look)(void *ctx, const bool *wanted, struct protect_entry *entries,
		    struct error *error);
	void (*idle)(void *ctx); /* called over and over while probes are awaited; may be NULL */
	void *ctx;
};

/*
 * Protects the targets. Emits a FACT_ACT "intent" for each that will be begun and a "result" for
 * every target: "done" when the values were read back and a probe was seen to renew the entries,
 * "failed" when that was not so within 5 s, and the values of before are restored then; "refused"
 * with the reason when nothing was changed; "skipped" when nothing was to do. The values of before
 * are in links, saved, before anything is set. The first probe is sent at once.
 *
 * With undo, gives the targets, all of them in links, the keepalive that they had before: "done"
 * when it was read back. They are then removed from links, which is saved.
 *
 * Returns 0, or a negative errno when the audit log or the file of links could not be written: what
 * was done is emitted all the same. log and links may be NULL for a dry run only.
 */
int act_protect(const struct protect_target *targets, size_t n,
		const struct protect_options *options, struct audit_log *log,
		struct protected *links, const struct fact_sink *sink, struct error *error);

#endif

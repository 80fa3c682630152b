/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Links that are being protected. For protect.c, protect_link.c and protect_renewal.c. */
#ifndef EW_ACT_PROTECT_PRIVATE_H
#define EW_ACT_PROTECT_PRIVATE_H

#include "act/act_report.h"
#include "act/protect.h"
#include "base/keepalive.h"

struct protect_link {
	const struct protect_target *asked;
	struct keepalive before, after;
	bool has_before, has_after;
	bool added; /* to links, by this act */
	bool set;   /* keepalive runs: it waits for a probe to renew the entries */
	bool renewed;
	struct protect_entry found; /* when it was begun */
	int64_t lifetime; /* of the entries, as their renewal showed it, or by the sysctl; ns */
	struct act_result end;
	const char *proof;
};

struct protect_batch {
	struct protect_link *targets;
	size_t n;
	bool *wanted;
	struct protect_entry *entries;
	struct error look_error; /* of the last look at the entries; code 0: it succeeded */
	const struct protect_options *options;
	struct act_report report;
	struct protected *links;
};

/* A link's result may be clear from the start: refused, skipped, or a dry run. */
void protect_link_init(struct protect_link *t, const struct protect_target *asked, bool dry_run);

/* Reads the keepalive that it has. On failure it has its result. */
void protect_link_read_before(struct protect_link *t);

/* Sets and reads back. False: the link has its result. */
bool protect_link_set(struct protect_link *t, const struct keepalive *wanted);

/*
 * A probe on a link whose entry is gone is dropped or answered by a reset, either of which ends the
 * connection: what the audit said of the entry is checked once more. error: why it is not known.
 */
void protect_link_check_entry(struct protect_link *t, const struct protect_entry *entry,
			      const struct error *error);

/* Looks the entries up of those with batch->wanted[]; unknown where that fails. */
void protect_batch_look(struct protect_batch *batch);

/* Waits, 5 s at most, until a probe has renewed the entries of all links that were set. */
void protect_batch_await(struct protect_batch *batch);

#endif

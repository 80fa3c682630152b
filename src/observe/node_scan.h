/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a restart of the agent meets on this node, apart from the executors: each source is read in
 * a child of its own, all at the same time, so that one that hangs delays no other.
 */
#ifndef EW_OBSERVE_NODE_SCAN_H
#define EW_OBSERVE_NODE_SCAN_H

#include <stdint.h>

struct ew_addr;
struct fact_sink;
struct node_scan;

struct node_scan_options {
	const char *work_dir;	      /* as it can be opened here; "": not known */
	int32_t agent;		      /* pid; 0: none runs */
	int nsfd;		      /* the agent's network namespace; NETNS_OWN: ours */
	const struct ew_addr *listen; /* where the agent listens; NULL: it does not */
	const char *master_url;	      /* NULL: the running agent's flag names the master */
};

/*
 * Emits what is known at once (FACT_HOST) and starts to read the rest. NULL: no memory. The options
 * are copied; nsfd is needed during the call only.
 */
struct node_scan *node_scan_begin(const struct node_scan_options *options,
				  const struct fact_sink *sink);

/* Emits what was read, waits for 3 s at most for what was not, and frees. */
void node_scan_end(struct node_scan *scan, int64_t until, const struct fact_sink *sink);

/* Frees it without a fact. NULL is fine. */
void node_scan_drop(struct node_scan *scan);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The node itself, beside its executors. */
#include <unistd.h>

#include "base/netns.h"
#include "observe/node_scan.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"

/* As a whole only: what a restart meets does not change from one look at the links to the next. */
enum step scan_node_begin_step(struct scan *scan)
{
	const struct snapshot_agent *agent = snapshot_agent(scan->snapshot);
	struct node_scan_options options = { .work_dir = scan_known_work_dir(scan) };
	int nsfd = -1;

	if (scan->scope != SCAN_ALL)
		return STEP_DONE;
	options.master_url = scan->options.master_url;
	options.nsfd = NETNS_OWN;
	if (agent) {
		options.agent = agent->pid;
		options.listen = &agent->listen;
		nsfd = snapshot_netns_open(scan->snapshot, agent->netns);
		if (nsfd < 0)
			return STEP_DONE;
		options.nsfd = nsfd;
	}
	scan->node = node_scan_begin(&options, &scan->sink);
	if (nsfd >= 0)
		close(nsfd);
	return STEP_DONE;
}

enum step scan_node_end_step(struct scan *scan)
{
	if (scan->node)
		node_scan_end(scan->node, scan->options.until, &scan->sink);
	scan->node = NULL;
	return STEP_DONE;
}

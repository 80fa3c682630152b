/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets, their owners, and what tells of a link. */
#include "base/emit.h"
#include "base/error.h"
#include "observe/agent_scan.h"
#include "observe/conntrack_lookup.h"
#include "observe/keepalive_lookup.h"
#include "observe/named_listeners.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"
#include "observe/sockets.h"
#include "observe/unix_links.h"

enum step scan_bpf_step(struct scan *scan)
{
	const struct scan_options *options = &scan->options;
	struct error error = { 0 };

	scan->with_bpf = options->bpf_scan != NULL;
	if (scan->with_bpf && options->bpf_scan(options->bpf_scan_ctx, &scan->sink, &error) < 0) {
		emit_failed(&scan->sink, "sockets by BPF", &error);
		scan->with_bpf = false; /* made good by the parts that follow */
	}
	snapshot_sort(scan->snapshot);
	snapshot_find_linked(scan->snapshot);
	return STEP_DONE;
}

enum step scan_sockets_part_step(struct scan *scan)
{
	struct error error = { 0 };
	int more = scan->sockets
			   ? 0
			   : sockets_new(scan->snapshot, scan->with_bpf, &scan->sockets, &error);

	if (!more)
		more = sockets_step(scan->sockets, &scan->sink, &error);
	if (more > 0)
		return STEP_MORE;
	sockets_free(scan->sockets);
	scan->sockets = NULL;
	return more < 0 ? scan_fail(scan, "sockets", &error) : STEP_DONE;
}

enum step scan_agents_step(struct scan *scan)
{
	const struct snapshot_agent *agent;

	agent_emit(scan->procfs, scan->snapshot, &scan->options.next, &scan->sink);
	agent = snapshot_agent(scan->snapshot);
	if (agent)
		agent_log_remember(agent->pid, &scan->log);
	scan_find_work_dir(scan);
	return STEP_DONE;
}

enum step scan_peers_step(struct scan *scan)
{
	const struct fact_socket *socket = NULL;
	size_t end = scan->at + A_STEP;

	for (; scan->at < end && (socket = snapshot_socket(scan->snapshot, scan->at)); scan->at++)
		agent_emit_peers(scan->procfs, scan->snapshot, socket, &scan->sink);
	return socket ? STEP_MORE : STEP_DONE;
}

enum step scan_named_listeners_step(struct scan *scan)
{
	named_listeners_emit(scan->snapshot, &scan->sink);
	return STEP_DONE;
}

enum step scan_unix_links_step(struct scan *scan)
{
	unix_links_emit(scan->snapshot, &scan->sink);
	return STEP_DONE;
}

enum step scan_conntrack_step(struct scan *scan)
{
	/* The timers first: an entry read afterwards is then the later evidence of the two. */
	keepalive_lookup_all(scan->snapshot, &scan->sink);
	return conntrack_lookup_all(scan->snapshot, &scan->sink) ? STEP_DONE : STEP_FAILED;
}

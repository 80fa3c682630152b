/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/agent_ports.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "observe/agent/api.h"
#include "observe/agent/api_url.h"
#include "observe/agent/tls.h"
#include "observe/bpf/thread_scan.h"
#include "observe/node_scan.h"
#include "observe/proc/procfs.h"
#include "observe/process_half.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"
#include "observe/sockets.h"

static void scan_emit(void *ctx, const struct fact *fact)
{
	struct scan *scan = ctx;

	snapshot_add(scan->snapshot, fact);
	fact_emit(&scan->out, fact);
}

static int copy(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int options_copy(struct scan *scan, const struct scan_options *options)
{
	int err = copy(options->work_dir, &scan->work_dir);

	scan->options = *options;
	scan->options.known = NULL; /* the snapshot has them */
	if (!err)
		err = copy(options->agent_url, &scan->agent_url);
	if (!err)
		err = copy(options->authorization, &scan->authorization);
	return err;
}

int scan_new(const struct scan_options *options, struct scan **ret_scan, struct error *error)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	struct agent_ports ports = { { 0 } };
	int err;

	if (!scan)
		return error_set(error, -ENOMEM, NULL, "prepare a scan");
	if (options->known)
		ports = *options->known;
	ports.v[0] = options->port;
	scan->sink = (struct fact_sink){ .emit = scan_emit, .ctx = scan };
	scan->snapshot = snapshot_new(&ports);
	err = scan->snapshot ? options_copy(scan, options) : -ENOMEM;
	if (!err)
		err = snapshot_enter(scan->snapshot, options->netns ? *options->netns : NETNS_OWN,
				     options->elsewhere);
	if (err < 0)
		error_set(error, err, NULL, "prepare a scan");
	else
		err = procfs_new(&scan->procfs, error);
	if (!err && options->agent_url && api_url_is_tls(options->agent_url))
		err = tls_new(options->ca_file, &scan->tls, error);
	if (err < 0) {
		scan_free(scan);
		return err;
	}
	if (options->bpf_scan)
		ew_thread_scan_open(&scan->threads); /* else read from /proc */
	snapshot_bound(scan->snapshot, options->until);
	procfs_bound(scan->procfs, options->until);
	*ret_scan = scan;
	return 0;
}

void scan_free(struct scan *scan)
{
	if (!scan)
		return;
	if (scan->snapshot)
		scan_drop(scan);
	snapshot_free(scan->snapshot);
	process_half_free(scan->half);
	procfs_free(scan->procfs);
	ew_thread_scan_free(scan->threads);
	pid_set_free(&scan->odd);
	free(scan->work_dir);
	free(scan->agent_url);
	free(scan->authorization);
	tls_free(scan->tls);
	free(scan);
}

static void emit_phase(const struct fact_sink *sink, const char *phase, uint32_t scope)
{
	struct fact fact = { .type = FACT_SCAN, .mono = now_mono() };

	fact.scan.phase = phase;
	fact.scan.scope = scope;
	fact_emit(sink, &fact);
}

static const struct part {
	uint32_t source;
	enum step (*run)(struct scan *scan);
	const char *object; /* what it reads */
	bool ends;	    /* takes what was begun, and waits no longer than until itself */
} parts[] = {
	/* first: who has a link decides what to read of whom */
	{ SCAN_SOCKETS, scan_bpf_step, "sockets, by BPF", false },
	/* whose sockets and namespaces matter */
	{ SCAN_PROCESSES, scan_processes_step, "processes", false },
	/* in a child, beside all that follows: processes have both processors of a small node */
	{ SCAN_CHECKPOINTS, scan_checkpoints_begin_step, "the agent's checkpoints", false },
	{ SCAN_PROCESSES, scan_libraries_step, "libraries of executors", false },
	{ SCAN_SOCKETS, scan_sockets_part_step, "sockets", false },
	/* which of them are links */
	{ SCAN_SOCKETS, scan_agents_step, "the agent's process and work directory", false },
	/* in children, beside all that follows */
	{ SCAN_SOCKETS, scan_node_begin_step, "the node", false },
	/* the answer takes the agent some time, in which the rest is read */
	{ SCAN_API, scan_ask_step, "the agent's HTTP API", false },
	{ SCAN_SOCKETS, scan_peers_step, "owners of connections", false },
	{ SCAN_SOCKETS, scan_named_listeners_step, "listeners of other agents", false },
	{ SCAN_SOCKETS, scan_unix_links_step, "domain sockets", false },
	/* before anything that takes long */
	{ SCAN_TRACKING, scan_conntrack_step, "connection tracking and firewall rules", false },
	{ SCAN_CHECKPOINTS, scan_checkpoints_step, "the agent's checkpoints", false },
	{ SCAN_API, scan_answer_step, "the agent's HTTP API", true },
	{ SCAN_SOCKETS, scan_node_end_step, "the node", true },
	{ SCAN_SOCKETS, scan_ports_step, "the ports that the agent advertises", false },
	{ SCAN_PROCESSES, scan_states_step, "states of processes", false },
};

enum { PARTS = sizeof(parts) / sizeof(*parts) };

/* What has to be read for scope. */
static uint32_t scope_closed(uint32_t scope)
{
	if (scope & SCAN_TRACKING)
		scope |= SCAN_SOCKETS;
	if (scope & SCAN_SOCKETS)
		scope |= SCAN_PROCESSES;
	return scope;
}

/* What depends on a part that has failed is not tried. */
static bool is_next(const struct scan *scan, const struct part *part)
{
	return scan->scope & part->source && !(scan->failed & part->source);
}

void scan_begin(struct scan *scan, uint32_t scope, const struct fact_sink *sink)
{
	scan_drop(scan);
	scan->scope = scope_closed(scope);
	scan->out = *sink;
	scan_reset(scan);
	emit_phase(sink, "begin", scan->scope);
}

static void scan_end(struct scan *scan)
{
	uint32_t done = scan->scope & ~scan->failed;

	scan_drop(scan);
	emit_phase(&scan->out, "end", done);
}

static bool has_time(const struct scan *scan)
{
	return !scan->options.until || now_mono() < scan->options.until;
}

/* What nobody looked at is not known, and is named. */
static enum step cut_off(struct scan *scan, const struct part *part)
{
	emit_corrupt(&scan->sink, 0, part->object, "there was no time left; see --timeout");
	return STEP_FAILED;
}

const char *scan_object(const struct scan *scan)
{
	return scan->part < PARTS ? parts[scan->part].object : "the end of the scan";
}

bool scan_step(struct scan *scan)
{
	const struct part *part;
	enum step step;

	while (scan->part < PARTS && !is_next(scan, &parts[scan->part]))
		scan->part++;
	if (scan->part == PARTS) {
		scan_end(scan);
		return false;
	}
	part = &parts[scan->part];
	step = part->ends || has_time(scan) ? part->run(scan) : cut_off(scan, part);
	if (step == STEP_FAILED)
		scan->failed |= part->source;
	if (step != STEP_MORE) {
		scan->part = step == STEP_AGAIN ? 0 : scan->part + 1;
		scan->at = 0;
	}
	return true;
}

uint32_t scan_run(struct scan *scan, uint32_t scope, const struct fact_sink *sink)
{
	scan_begin(scan, scope, sink);
	while (scan_step(scan))
		continue;
	return scan->scope & ~scan->failed;
}

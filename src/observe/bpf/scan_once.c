/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/scan_once.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/agent_ports.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/proc.h"
#include "observe/bpf/event_batch.h"
#include "observe/bpf/iter.h"
#include "observe/bpf/libbpf.h"
#include "scan_once.skel.h"

struct ew_bpf_scan_once {
	struct scan_once_bpf *skel;
	struct ew_iter *iter;
	struct event_batch *batch;
};

static int load(struct ew_bpf_scan_once *scan, uint16_t agent_port)
{
	int err;

	scan->batch = event_batch_new();
	scan->skel = scan_once_bpf__open();
	if (!scan->batch || !scan->skel)
		return -ENOMEM;
	scan->skel->rodata->agent_port = agent_port;
	err = scan_once_bpf__load(scan->skel);
	if (err)
		return err;
	scan->iter = ew_iter_new(scan->skel->progs.scan_once_row.prog_fd,
				 &scan->skel->bss->scan_tgid, agent_port);
	return scan->iter ? 0 : -ENOMEM;
}

int ew_bpf_scan_once_open(uint16_t agent_port, const struct fact_sink *sink,
			  struct ew_bpf_scan_once **ret)
{
	struct ew_bpf_scan_once *scan;
	int err;

	/* From within another pid namespace the iterator shows only its processes, and by other
	 * pids than the namespace's. */
	if (proc_ns_own("pid") != PROC_PIDNS_INIT)
		return -ENOTSUP;
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return -ENOMEM;
	err = load(scan, agent_port);
	if (err) {
		ew_bpf_scan_once_free(scan);
		return err;
	}
	emit_hook(sink, "seed", "iter/task_file", "", false);
	*ret = scan;
	return 0;
}

void ew_bpf_scan_once_free(struct ew_bpf_scan_once *scan)
{
	if (!scan)
		return;
	ew_iter_free(scan->iter);
	scan_once_bpf__destroy(scan->skel);
	event_batch_free(scan->batch);
	free(scan);
}

void ew_bpf_scan_once_set_ports(struct ew_bpf_scan_once *scan, const struct agent_ports *ports)
{
	memcpy(scan->skel->bss->more_ports, ports->v + 1, sizeof(scan->skel->bss->more_ports));
}

int ew_bpf_scan_once(void *ctx, const struct fact_sink *sink, struct error *error)
{
	struct ew_bpf_scan_once *scan = ctx;
	int more;

	scan->skel->bss->scan_number++;
	ew_iter_forget_agents(scan->iter);
	more = ew_iter_begin(scan->iter);
	if (!more)
		do
			more = ew_iter_read(scan->iter, scan->batch);
		while (more > 0);
	ew_iter_end(scan->iter);
	event_batch_emit(scan->batch, SIZE_MAX, sink);
	if (!more)
		return 0;
	return error_set(error, more, NULL, "scan the descriptors of all processes");
}

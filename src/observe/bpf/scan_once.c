/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/scan_once.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/event_decode.h"
#include "base/proc.h"
#include "observe/bpf/iter.h"
#include "walk.skel.h"

struct ew_bpf_scan_once {
	struct walk_bpf *skel;
	struct ew_iter rows;
	int err; /* of a record that could not be kept */
};

static void take(void *ctx, const void *record, size_t size)
{
	struct ew_bpf_scan_once *walk = ctx;
	int err = event_batch_add(walk->rows.batch, record, size);

	if (err)
		walk->err = err;
}

static int load(struct ew_bpf_scan_once *walk, uint16_t agent_port)
{
	walk->skel = walk_bpf__open();
	if (!walk->skel)
		return -ENOMEM;
	walk->skel->rodata->agent_port = agent_port;
	return walk_bpf__load(walk->skel);
}

static void hook_emit(const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_HOOK, .mono = now_mono() };

	fact.hook.hook = "seed";
	fact.hook.program = "iter/task_file";
	fact.hook.reason = "";
	fact_emit(sink, &fact);
}

int ew_bpf_scan_once_open(uint16_t agent_port, const struct fact_sink *sink,
			  struct ew_bpf_scan_once **ret)
{
	struct ew_bpf_scan_once *walk;
	struct stat pidns;
	int err;

	/* From within another one only its own processes are seen, and by numbers that are not its
	 * own. */
	if (stat("/proc/self/ns/pid", &pidns) < 0 || pidns.st_ino != PROC_PIDNS_INIT)
		return -ENOTSUP;
	walk = calloc(1, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->rows.batch = event_batch_new();
	err = walk->rows.batch ? load(walk, agent_port) : -ENOMEM;
	if (err) {
		ew_bpf_scan_once_free(walk);
		return err;
	}
	walk->rows.program = walk->skel->progs.walk_row.prog_fd;
	walk->rows.only = &walk->skel->bss->seed_tgid;
	walk->rows.agent_port = agent_port;
	walk->rows.take = take;
	walk->rows.ctx = walk;
	hook_emit(sink);
	*ret = walk;
	return 0;
}

void ew_bpf_scan_once_free(struct ew_bpf_scan_once *walk)
{
	if (!walk)
		return;
	walk_bpf__destroy(walk->skel);
	event_batch_free(walk->rows.batch);
	free(walk);
}

int ew_bpf_scan_once(void *ctx, const struct fact_sink *sink, struct error *error)
{
	struct ew_bpf_scan_once *walk = ctx;
	int err;

	walk->err = 0;
	walk->skel->bss->seed_pass++;
	memset(walk->rows.agents, 0, sizeof(walk->rows.agents));
	err = ew_iter_run(&walk->rows);
	if (!err)
		err = walk->err;
	event_batch_put(walk->rows.batch, sink);
	if (!err)
		return 0;
	return error_set(error, err, NULL, "walk over the descriptors of all processes");
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/bpf_lib.h"
#include "observe/live.h"
#include "observe/procfs_file.h"
#include "observe/rows.h"
#include "walk.skel.h"

struct bpf_walk {
	struct walk_bpf *skel;
	struct rows rows;
	int err; /* of a record that could not be kept */
};

static void take(void *ctx, const void *record, size_t size)
{
	struct bpf_walk *walk = ctx;
	int err = live_batch_add(walk->rows.batch, record, size);

	if (err)
		walk->err = err;
}

static int load(struct bpf_walk *walk, uint16_t agent_port)
{
	walk->skel = walk_bpf__open();
	if (!walk->skel)
		return -ENOMEM;
	walk->skel->rodata->agent_port = agent_port;
	return walk_bpf__load(walk->skel);
}

static void slot_put(const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_SLOT, .mono = now_mono() };

	fact.slot.slot = "seed";
	fact.slot.program = "iter/task_file";
	fact.slot.reason = "";
	fact_put(sink, &fact);
}

int bpf_walk_open(uint16_t agent_port, const struct fact_sink *sink, struct bpf_walk **ret)
{
	struct bpf_walk *walk;
	struct stat pidns;
	int err;

	/* From within another one only its own processes are seen, and by numbers that are not its
	 * own. */
	if (stat("/proc/self/ns/pid", &pidns) < 0 || pidns.st_ino != PID_NS_INIT)
		return -ENOTSUP;
	walk = calloc(1, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->rows.batch = live_batch_new();
	err = walk->rows.batch ? load(walk, agent_port) : -ENOMEM;
	if (err) {
		bpf_walk_free(walk);
		return err;
	}
	walk->rows.program = walk->skel->progs.walk_row.prog_fd;
	walk->rows.only = &walk->skel->bss->seed_tgid;
	walk->rows.agent_port = agent_port;
	walk->rows.take = take;
	walk->rows.ctx = walk;
	slot_put(sink);
	*ret = walk;
	return 0;
}

void bpf_walk_free(struct bpf_walk *walk)
{
	if (!walk)
		return;
	walk_bpf__destroy(walk->skel);
	live_batch_free(walk->rows.batch);
	free(walk);
}

int bpf_walk_seed(void *ctx, const struct fact_sink *sink, struct fail *why)
{
	struct bpf_walk *walk = ctx;
	int err;

	walk->err = 0;
	walk->skel->bss->seed_pass++;
	memset(walk->rows.agents, 0, sizeof(walk->rows.agents));
	err = rows_walk(&walk->rows);
	if (!err)
		err = walk->err;
	live_batch_put(walk->rows.batch, sink);
	if (!err)
		return 0;
	return fail_set(why, err, NULL, "walk over the descriptors of all processes");
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pass over what was there before the programs were. */
#include <errno.h>

#include "observe/bpf_lib.h"
#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/bpf.h"
#include "observe/bpf_priv.h"
#include "observe/cookies.h"
#include "observe/live.h"

static void take(void *watch, const void *record, size_t size)
{
	bpf_watch_take(watch, record, size);
	bpf_watch_relieve(watch);
}

static int descriptors_walk(struct bpf_watch *watch)
{
	struct rows *rows = &watch->rows;

	rows->program = bpf_program__fd(watch->skel->progs.seed_row);
	rows->only = &watch->skel->bss->seed_tgid;
	rows->agent_port = watch->skel->rodata->agent_port;
	rows->batch = watch->batch;
	rows->take = take;
	rows->ctx = watch;
	return rows_walk(rows);
}

int bpf_watch_seed(struct bpf_watch *watch, const struct fact_sink *sink, struct fail *why)
{
	uint64_t began = (uint64_t)now_mono();
	int err;

	if (bpf_program__fd(watch->skel->progs.seed_row) < 0)
		return fail_set(why, -ENOTSUP, "use a kernel from 5.8 on",
				"walk over descriptors: this kernel has no iterator task_file");
	err = watch->ground.has_cookie_helper ? 0 : cookies_give(why);
	if (err)
		return err;
	watch->skel->bss->seed_pass++;
	bpf_watch_gather(watch);
	err = descriptors_walk(watch);
	if (!err)
		bpf_conns_sweep(watch, began);
	bpf_watch_gather(watch);
	live_batch_put(watch->batch, sink);
	if (!err)
		return 0;
	return fail_set(why, err, NULL, "walk over the descriptors of all processes");
}

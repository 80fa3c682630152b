/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pass over what was there before the programs were. */
#include <errno.h>

#include "observe/bpf/libbpf.h"
#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/observer_priv.h"
#include "observe/netlink/sock_cookies.h"
#include "observe/bpf/event_decode.h"

static void take(void *watch, const void *record, size_t size)
{
	ew_bpf_take(watch, record, size);
	ew_bpf_poll_throttled(watch);
}

static int descriptors_walk(struct ew_bpf *watch)
{
	struct ew_iter *rows = &watch->rows;

	rows->program = bpf_program__fd(watch->skel->progs.seed_row);
	rows->only = &watch->skel->bss->seed_tgid;
	rows->agent_port = watch->skel->rodata->agent_port;
	rows->batch = watch->batch;
	rows->take = take;
	rows->ctx = watch;
	return ew_iter_run(rows);
}

int ew_bpf_scan(struct ew_bpf *watch, const struct fact_sink *sink, struct error *error)
{
	uint64_t began = (uint64_t)now_mono();
	int err;

	if (bpf_program__fd(watch->skel->progs.seed_row) < 0)
		return error_set(error, -ENOTSUP, "use a kernel from 5.8 on",
				 "walk over descriptors: this kernel has no iterator task_file");
	err = watch->ground.has_cookie_helper ? 0 : sock_cookies_assign(error);
	if (err)
		return err;
	watch->skel->bss->seed_pass++;
	ew_bpf_ring_poll(watch);
	err = descriptors_walk(watch);
	if (!err)
		conns_gc(watch, began);
	ew_bpf_ring_poll(watch);
	event_batch_put(watch->batch, sink);
	if (!err)
		return 0;
	return error_set(error, err, NULL, "walk over the descriptors of all processes");
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was there before the programs were attached. */
#include <errno.h>

#include "base/error.h"
#include "base/now.h"
#include "observe/bpf/conns_gc.h"
#include "observe/bpf/event_batch.h"
#include "observe/bpf/iter.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/observer_internal.h"
#include "observe/bpf/records.h"
#include "observe/bpf/rings.h"
#include "observe/netlink/sock_cookies.h"

/* The rings are emptied between the reads: a scan of a large node takes seconds. */
static int descriptors_scan(struct ew_bpf *observer)
{
	struct event_batch *batch = ew_bpf_records_batch(observer->records);
	int more = ew_iter_begin(observer->iter);

	if (!more)
		do {
			more = ew_iter_read(observer->iter, batch);
			ew_bpf_rings_poll_throttled(observer->rings);
		} while (more > 0);
	ew_iter_end(observer->iter);
	return more;
}

int ew_bpf_scan(struct ew_bpf *observer, const struct fact_sink *sink, struct error *error)
{
	struct event_batch *batch = ew_bpf_records_batch(observer->records);
	struct execwatch_bpf *skel = observer->programs.skel;
	uint64_t began = (uint64_t)now_mono();
	int err;

	if (bpf_program__fd(skel->progs.scan_row) < 0)
		return error_set(error, -ENOTSUP, "use a kernel from 5.8 on",
				 "scan all descriptors: this kernel has no iterator task_file");
	err = observer->features.has_cookie_helper ? 0 : sock_cookies_assign(error);
	if (err)
		return err;
	skel->bss->scan_number++;
	ew_bpf_rings_poll(observer->rings);
	err = descriptors_scan(observer);
	if (!err)
		conns_gc(bpf_map__fd(skel->maps.conns), skel->bss->scan_number, began, batch);
	ew_bpf_rings_poll(observer->rings);
	ew_bpf_rings_emit(observer->rings, sink);
	if (!err)
		return 0;
	return error_set(error, err, NULL, "scan the descriptors of all processes");
}

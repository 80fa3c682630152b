/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the steps of a scan do with its state. */
#include "base/emit.h"
#include "base/error.h"
#include "observe/agent/api_question.h"
#include "observe/node_scan.h"
#include "observe/process_half.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"
#include "observe/sockets.h"

void scan_drop(struct scan *scan)
{
	process_half_drop(scan->half);
	sockets_free(scan->sockets);
	scan->sockets = NULL;
	api_ask_drop(scan->question);
	scan->question = NULL;
	bounded_drop(&scan->checkpoints);
	node_scan_drop(scan->node);
	scan->node = NULL;
	snapshot_end(scan->snapshot);
}

void scan_reset(struct scan *scan)
{
	scan->failed = 0;
	scan->part = scan->at = 0;
	scan->with_bpf = false;
	if (scan->scope & SCAN_PROCESSES)
		snapshot_begin(scan->snapshot);
}

enum step scan_fail(struct scan *scan, const char *object, const struct error *error)
{
	emit_failed(&scan->sink, object, error);
	return STEP_FAILED;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent has written: checkpoints, its log, and what is left of executors that are gone. */
#include <string.h>

#include "base/error.h"
#include "observe/agent/bounded_emit.h"
#include "observe/agent/checkpoints.h"
#include "observe/agent/post_mortem.h"
#include "observe/scan_internal.h"

static int emit_checkpoints(void *ctx, const struct fact_sink *sink, struct error *error)
{
	return checkpoints_emit(ctx, sink, error);
}

/*
 * The checkpoints are read in a child while all else is read here, if where they are turns out to
 * be right.
 */
enum step scan_checkpoints_begin_step(struct scan *scan)
{
	scan_likely_work_dir(scan, scan->likely, sizeof(scan->likely));
	if (*scan->likely == '/')
		bounded_emit_begin(&scan->checkpoints, emit_checkpoints, scan->likely);
	return STEP_DONE;
}

enum step scan_checkpoints_step(struct scan *scan)
{
	struct error error = { 0 };
	const char *path = scan_await_work_dir(scan, &error);
	bool begun = scan->checkpoints.pid && strcmp(path, scan->likely) == 0;
	int err;

	if (!begun)
		bounded_drop(&scan->checkpoints);
	if (!*path)
		return scan_fail(scan, "the agent's checkpoints", &error);
	err = begun ? bounded_emit_end(&scan->checkpoints, scan->options.until, path, &scan->sink,
				       &error)
		    : bounded_emit(emit_checkpoints, (void *)path, scan->options.until, path,
				   &scan->sink, &error);
	return err ? STEP_FAILED : STEP_DONE;
}

struct post_mortem_work {
	const char *work_dir;
	const struct agent_log_place *log;
	const struct post_mortem_run *runs;
	size_t n;
};

static int emit_post_mortem(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct post_mortem_work *work = ctx;

	(void)error;
	post_mortem_emit(work->work_dir, work->log, work->runs, work->n, sink);
	return 0;
}

void scan_post_mortem(struct scan *scan, const struct post_mortem_run *runs, size_t n,
		      const struct fact_sink *sink)
{
	const char *path = scan_known_work_dir(scan);

	if (n && *path)
		bounded_emit(emit_post_mortem,
			     &(struct post_mortem_work){ path, &scan->log, runs, n },
			     scan->options.until, path, sink, NULL);
}

struct agent_log_work {
	const struct agent_log_place *place;
	int32_t pid;
	uint64_t start;
};

static int emit_agent_log(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct agent_log_work *work = ctx;

	(void)error;
	agent_log_emit(work->place, work->pid, work->start, sink);
	return 0;
}

void scan_agent_log(struct scan *scan, int32_t pid, uint64_t start, const struct fact_sink *sink)
{
	bounded_emit(emit_agent_log, &(struct agent_log_work){ &scan->log, pid, start },
		     scan->options.until, "the agent's log", sink, NULL);
}

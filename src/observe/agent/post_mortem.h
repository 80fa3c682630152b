/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is written of executors that are gone: their tasks' last updates under each agent id of the
 * work directory, the end of their stderr in the sandbox, the end of the agent's log, and the
 * status file of their container.
 */
#ifndef EW_OBSERVE_AGENT_POST_MORTEM_H
#define EW_OBSERVE_AGENT_POST_MORTEM_H

#include <stddef.h>
#include <stdint.h>

struct agent_log_place;
struct fact_sink;

struct post_mortem_run {
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
};

/* Bounds: bytes of each end, and seconds of all. What they cut off is told as FACT_UNREAD. */
#define POST_MORTEM_STDERR (64 * 1024)
#define POST_MORTEM_LOG	   (4 * 1024 * 1024)
#define POST_MORTEM_TIME   5

/*
 * Emits FACT_TASK of the tasks that are over and FACT_END of what the logs tell. work_dir as it can
 * be opened here; place: where the agent's log is (agent_log.h).
 * Tasks write into their executor's stderr and can write the same text: a hint, not a proof. Only
 * regular files are read, and links are not followed below the work directory.
 */
void post_mortem_emit(const char *work_dir, const struct agent_log_place *place,
		      const struct post_mortem_run *runs, size_t n, const struct fact_sink *sink);

#endif

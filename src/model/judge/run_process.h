/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the processes that have the ids of a run is its executor. */
#ifndef EW_MODEL_JUDGE_RUN_PROCESS_H
#define EW_MODEL_JUDGE_RUN_PROCESS_H

#include "model/judge/executor.h"
#include "model/judge/holdings.h"

/* Living processes by pid. */
struct pids {
	const struct process **v;
	size_t n;
};
struct pids pids_build(const struct store *store, struct arena *arena);

/* NO: it claims a run that belongs to another process. */
enum ew_tri run_process_is_backed(const struct store *store, const struct pids *pids,
				  const struct executor *executor, const struct holdings *held);
/*
 * An executor's environment is inherited by its task and by helpers; its name may be anything.
 * The executor is the process that listens at the checkpointed address, has libprocess mapped and
 * holds the link. A process without listener and libprocess is no v0 executor. The process with the
 * highest score is the executor; 0: it is none.
 */
int run_process_score(const struct store *store, const struct process *process,
		      const struct checkpoint *checkpoint, const struct holdings *held);

/*
 * True for forked and its known descendants; the launcher makes it the leader of a session (Mesos
 * linux_launcher.cpp, docker.cpp: setsid).
 */
bool run_process_is_below(const struct pids *pids, const struct process *process, int32_t forked);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Collects from the store the evidence that verdict.h decides by. */
#ifndef EW_MODEL_JUDGE_EVIDENCE_H
#define EW_MODEL_JUDGE_EVIDENCE_H

#include "model/judge/verdict.h"
#include "model/judge/executor.h"

/* What keeps an agent that starts from taking it back: "executor.info is missing"; "": nothing. */
const char *evidence_obstacle(const struct executor *executor);
/* A contradiction is a sentence that the arena owns. */
struct evidence evidence_of_executor(const struct store *store, const struct executor *executor,
				     struct arena *arena);

/* Its own MESOS_RECOVERY_TIMEOUT; 15 min where it has none, as the v0 driver (Mesos exec.cpp). ns.
 */
int64_t evidence_recovery_timeout(const struct process_facts *process);
/* Does its MESOS_SLAVE_PID, where it has one, name a port that is known to be the agent's? */
bool evidence_port_known(const struct store *store, const struct process *process);
/* As its checkpointed run tells; NULL: unknown. */
enum protocol evidence_protocol(const struct checkpoint *checkpoint);
bool evidence_is_v1(const struct executor *executor);

#endif

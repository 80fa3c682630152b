/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Collects from the store the evidence that verdict.h decides by. */
#ifndef EW_MODEL_JUDGE_EVIDENCE_H
#define EW_MODEL_JUDGE_EVIDENCE_H

#include "model/judge/verdict.h"
#include "model/judge/executor.h"

/* recovery_timeout: the executor's, ns. */
struct link_evidence evidence_of_link(const struct store *store, const struct connection *conn,
				      int64_t recovery_timeout);
/* YES when the agent has the other end of this link. */
enum ew_tri evidence_agent_end(const struct store *store, const struct connection *conn);
/* NULL: the rules were not evaluated for this link, or do not matter. */
const struct firewall *evidence_firewall(const struct store *store, const struct connection *conn);
/* A link whose values were not read in the last scan is not on, and renewed is unknown. */
struct link_keepalive evidence_keepalive(const struct store *store, const struct connection *conn);
/* What keeps an agent that starts from taking it back: "executor.info is missing"; "": nothing. */
const char *evidence_obstacle(const struct executor *executor);
/* A contradiction is a sentence that the arena owns. */
struct evidence evidence_of_executor(const struct store *store, const struct executor *executor,
				     struct arena *arena);

/* Its own MESOS_RECOVERY_TIMEOUT; 15 min where it has none, as the v0 driver (Mesos exec.cpp). ns.
 */
int64_t evidence_recovery_timeout(const struct process_facts *process);
/* No agent listens, and a process that is or was the agent lives and holds the link's other end. */
bool evidence_agent_is_silent(const struct store *store, const struct connection *conn);
/* Does its MESOS_SLAVE_PID, where it has one, name a port that is known to be the agent's? */
bool evidence_port_known(const struct store *store, const struct process *process);
enum protocol evidence_protocol(const struct checkpoint *checkpoint);

#endif

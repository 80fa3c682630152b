/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The service manager's unit that runs the agent, and what stopping it does to the other processes
 * of its cgroup: KillMode, systemd.kill(5).
 */
#ifndef EW_OBSERVE_AGENT_SERVICE_H
#define EW_OBSERVE_AGENT_SERVICE_H

#include <stddef.h>
#include <stdint.h>

struct fact_agent;
struct fact_sink;
struct next_start_options;

/*
 * The unit's part of a cgroup: the path up to its last component that ends in .service or .scope is
 * written to unit_cgroup (PATH_MAX bytes), and that component, inside of it, returned. NULL: there
 * is none, or it is one that is not stopped with a single program in it: a login session
 * (session-N.scope and all else below user.slice but services), a user's manager, init.scope.
 */
const char *service_unit_of(const char *cgroup, char *unit_cgroup);

/*
 * Emits FACT_SERVICE for this agent, and what observe/agent/next_start.h reads when a unit runs it
 * or the user names something, from a child process: systemctl and files that do not answer for 3
 * s, or by until (mono ns; 0: no bound), give a FACT_SERVICE without a KillMode. ppid: of the
 * agent.
 */
void service_emit(const struct fact_agent *agent, int32_t ppid,
		  const struct next_start_options *next, int64_t until,
		  const struct fact_sink *sink);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/finding_table.h"

#include <string.h>

static const struct {
	const char *id;
	const char *effect;
} rows[FINDING_COUNT] = {
	[FINDING_IMPOSTOR_AGENT] = { "impostor-agent",
				     "It is not asked and not believed, but executors may be." },
	[FINDING_MASTER_TIMEOUT] = { "master-timeout",
				     "The master may have removed the agent, and reports the tasks "
				     "of a removed agent as lost." },
	[FINDING_V1_BACKOFF] = { "v1-backoff",
				 "The agent kills executors that subscribe again after its "
				 "re-registration timeout." },
	[FINDING_CONNTRACK_FULL] = { "conntrack-full",
				     "At the limit the kernel evicts entries of idle connections "
				     "and drops new connections: executors cannot connect to the "
				     "restarted agent." },
	[FINDING_DISK_FULL] = { "disk-full", "An agent that cannot write a checkpoint aborts, and "
					     "its next start meets the same." },
	[FINDING_CHECKPOINT_OWNER] = { "checkpoint-owner",
				       "The next agent recovers what that user may change, or "
				       "cannot write there itself." },
	[FINDING_OTHER_BOOT] = { "other-boot", "The next agent takes the pids in it for those of "
					       "ended processes and recovers no executor." },
	[FINDING_NO_LATEST] = { "no-latest", "The next agent registers as a new one, recovers no "
					     "executor, and destroys their containers as "
					     "orphans." },
	[FINDING_DUPLICATE_PID] = { "duplicate-pid",
				    "The recovery of the next agent fails as a whole, each time "
				    "it is started, while the executors' clocks run." },
	[FINDING_LIBRARY_REPLACED] = { "library-replaced",
				       "They go on with the old one, which takes its disk space "
				       "until they end; the next agent starts with what is "
				       "installed now." },
	[FINDING_UNIT_NOT_RELOADED] = { "unit-not-reloaded",
					"What counts for the restart depends on whether somebody "
					"runs daemon-reload before it, as package upgrades do." },
	[FINDING_LOGGER_SAME_FATE] = { "logger-same-fate",
				       "Stopping the unit kills them, and executors and tasks that "
				       "write to their output afterwards get SIGPIPE." },
	[FINDING_STOP_UNBOUNDED] = { "stop-unbounded",
				     "An agent that hangs when it is stopped is never killed: the "
				     "restart waits while the master's clock runs." },
	[FINDING_RESTART_DELAY] = { "restart-delay",
				    "If the first start fails, the second comes too late." },
	[FINDING_STOP_SENDS_SIGUSR1] = { "stop-sends-sigusr1",
					 "SIGUSR1 tells an agent to unregister and to shut down "
					 "all its executors." },
	[FINDING_STOP_ENDS_SLICE] = { "stop-ends-slice",
				      "That slice holds all executors: stopping it kills "
				      "them." },
	[FINDING_EXECUTOR_OUTSIDE_SLICE] = { "executor-outside-slice",
					     "They end with whatever unit or session that cgroup "
					     "is of." },
	[FINDING_MAIN_PID_IS_A_WRAPPER] = { "main-pid-is-a-wrapper",
					    "Stopping the unit does not stop the agent; the next "
					    "one cannot "
					    "bind its port." },
	[FINDING_START_CANNOT_RUN] = { "start-cannot-run",
				       "The start fails, again and again, while the executors' "
				       "recovery timeouts run." },
	[FINDING_PRE_STEP_UNTRIED] = { "pre-step-untried",
				       "Nobody knows whether they succeed as they are now. A step "
				       "that "
				       "fails repeats every RestartSec while the recovery timeouts "
				       "run." },
	[FINDING_LISTENER_INHERITED] = { "listener-inherited",
					 "The next agent cannot bind its port (Address already in "
					 "use) and ends at once, while executors connect to a "
					 "socket on which nobody accepts." },
	[FINDING_ADDRESS_GONE] = { "address-gone",
				   "The next agent cannot bind that address and ends at once." },
	[FINDING_MASTER_UNREACHABLE] = { "master-unreachable",
					 "Whether it lists the agent, and how long it waits for "
					 "it, is not known; a restarted agent may not be able to "
					 "register." },
	[FINDING_MASTER_LACKS_AGENT] = { "master-lacks-agent",
					 "When the agent registers again, the master has it kill "
					 "the tasks of frameworks that are not partition-aware, "
					 "or shuts it down (before 1.1)." },
	[FINDING_REREGISTER_LATE] = { "reregister-late",
				      "The agent kills the executors that are not back in "
				      "time." },
	[FINDING_VERSION_MIX] = { "version-mix",
				  "Whether they register again with it was not tried by Mesos' "
				  "own tests." },
	[FINDING_DOCKER_UNREACHABLE] = { "docker-unreachable",
					 "The recovery of the next agent asks docker for its "
					 "containers: it fails or waits, while the executors' "
					 "clocks run." },
	[FINDING_CONTAINER_GONE] = { "container-gone",
				     "The recovery of the next agent does not find it, and ends "
				     "the executor." },
	[FINDING_CONTAINER_ORPHANED] = { "container-orphaned",
					 "The recovery of the next agent stops and removes it "
					 "(docker_kill_orphans)." },
	[FINDING_DOCKER_RESTART] = { "docker-restart",
				     "A task in docker ends with the daemon, also under "
				     "live-restore: its executor waits for its attached docker "
				     "run." },
	[FINDING_RECOVERY_FAILED] = { "recovery-failed",
				      "No agent asks the executors to reconnect: they wait until "
				      "their recovery timeouts run out, and then end." },
};

const char *finding_id(enum finding finding)
{
	return finding < FINDING_COUNT ? rows[finding].id : NULL;
}

const char *finding_effect(enum finding finding)
{
	return rows[finding].effect;
}

bool finding_parse(const char *id, enum finding *finding)
{
	for (int i = 0; i < FINDING_COUNT; i++) {
		if (strcmp(rows[i].id, id) == 0) {
			*finding = (enum finding)i;
			return true;
		}
	}
	return false;
}

bool finding_is_in(const char *list, const char *id)
{
	size_t len = strlen(id);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, id, n) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

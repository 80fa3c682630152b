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
	[FINDING_EXECUTOR_SAME_FATE] = { "executor-same-fate",
					 "Once that unit is loaded, stopping the agent kills "
					 "them." },
	[FINDING_STOP_UNBOUNDED] = { "stop-unbounded",
				     "An agent that hangs when it is stopped is never killed: the "
				     "restart waits while the master's clock runs." },
	[FINDING_RESTART_DELAY] = { "restart-delay",
				    "If the first start fails, the second comes too late." },
	[FINDING_STOP_SENDS_SIGUSR1] = { "stop-sends-sigusr1",
					 "SIGUSR1 tells an agent to unregister and to shut down "
					 "all its executors." },
	[FINDING_STEP_REMOVES_CHECKPOINTS] = { "step-removes-checkpoints",
					       "The next agent registers as a new one, recovers no "
					       "executor, and destroys their containers as "
					       "orphans." },
	[FINDING_STOP_ENDS_SLICE] = { "stop-ends-slice",
				      "That slice holds all executors: stopping it kills "
				      "them." },
	[FINDING_EXECUTOR_OUTSIDE_SLICE] = { "executor-outside-slice",
					     "They end when the unit or session of that cgroup "
					     "ends." },
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
	[FINDING_VERSION_MIX] = { "version-mix", "Mesos has no test for whether they register "
						 "again with it." },
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
	[FINDING_NEXT_UNREAD] = { "next-unread", "What the next start changes is not all known." },
	[FINDING_NEXT_FILES_MISSING] = { "next-files-missing",
					 "The start fails, again and again, while the executors' "
					 "recovery timeouts run." },
	[FINDING_NEXT_FLAGS_REFUSED] = { "next-flags-refused",
					 "The next agent exits at once, again and again, while the "
					 "executors' recovery timeouts run." },
	[FINDING_AGENT_INFO_CHANGED] = { "agent-info-changed",
					 "The recovery of the next agent fails with \"Incompatible "
					 "agent info detected\", again and again, while the "
					 "executors' recovery timeouts run." },
	[FINDING_AGENT_INFO_EXTENDED] = { "agent-info-extended", "The reconfiguration policy of "
								 "the next agent permits it." },
	[FINDING_AGENT_ADDRESS_CHANGED] = { "agent-address-changed",
					    "The master refuses an agent that comes back from "
					    "another address and shuts it down, and v1 executors "
					    "subscribe at the old one." },
	[FINDING_WORK_DIR_CHANGED] = { "work-dir-changed",
				       "The next agent finds no checkpoints, registers as a new "
				       "one and recovers no executor." },
	[FINDING_RUNTIME_DIR_CHANGED] = { "runtime-dir-changed",
					  "Nested containers are not recovered: the tasks of pods "
					  "are taken for failed, and exit statuses are lost." },
	[FINDING_RECOVER_CLEANUP] = { "recover-cleanup",
				      "The next agent shuts down all executors and exits." },
	[FINDING_RECOVERY_NOT_STRICT] = { "recovery-not-strict",
					  "The next agent recovers what it can; executors whose "
					  "checkpoints it cannot read are abandoned without an "
					  "error." },
	[FINDING_CONTAINERS_NOT_RECOVERED] = { "containers-not-recovered",
					       "The next agent does not find the containers of "
					       "running executors, and cannot update, limit or "
					       "destroy them, or does not start." },
	[FINDING_ISOLATION_CHANGED] = { "isolation-changed",
					"Isolators that did not prepare a container may fail to "
					"recover it, and limits of those that are gone are no "
					"longer kept." },
	[FINDING_SYSTEMD_SUPPORT_CHANGED] = { "systemd-support-changed",
					      "Executors launched from then on end with the "
					      "agent's unit at the next restart, or those that run "
					      "now already do." },
	[FINDING_CGROUP_NOT_DELEGATED] = { "cgroup-not-delegated",
					   "A daemon-reload may move processes out of the agent's "
					   "cgroups." },
	[FINDING_TIMEOUTS_CHANGED] = { "timeouts-changed",
				       "Executors that run keep the recovery timeout that they "
				       "were started with; one that registers again after the next "
				       "agent's re-registration timeout is killed." },
	[FINDING_EXECUTOR_AUTHENTICATION] = { "executor-authentication",
					      "Executors that hold no token, or one made with "
					      "another key, are refused and end when their "
					      "recovery timeout has run out." },
	[FINDING_CREDENTIAL_CHANGED] = { "credential-changed",
					 "A master that does not accept the agent's credential "
					 "removes it after its timeout." },
	[FINDING_CHECKPOINT_DAMAGED] = { "checkpoint-damaged",
					 "An agent that starts exits before it asks any executor "
					 "to "
					 "reconnect, each time: their recovery timeouts run out." },
	[FINDING_SSL_CHANGED] = { "ssl-changed",
				  "Executors keep the settings that they were started with: they "
				  "and "
				  "the next agent cannot talk to each other, and it kills them." },
	[FINDING_PRE_STEP_UNBOUNDED] = { "pre-step-unbounded",
					 "A step that hangs is not ended before the clocks of the "
					 "window run out, and no agent starts until then." },
	[FINDING_RECOVERY_AGAINST_MASTER] = { "recovery-against-master",
					      "The shorter of the two is the time that a restart "
					      "has." },
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

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

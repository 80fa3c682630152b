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

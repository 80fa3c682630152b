/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "model/report.h"

static const struct {
	const char *name;
	enum severity severity;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_FOREIGN] = { "foreign", SEVERITY_OK },
	[VERDICT_NO_CHECKPOINT] = { "no-checkpoint", SEVERITY_CRITICAL },
	[VERDICT_UNREGISTERED] = { "unregistered", SEVERITY_CRITICAL },
	[VERDICT_DISCONNECTED] = { "disconnected", SEVERITY_CRITICAL },
	[VERDICT_SELF_HEALING] = { "self-healing", SEVERITY_OK },
	[VERDICT_HALF_OPEN] = { "half-open", SEVERITY_WARNING },
	[VERDICT_AT_RISK] = { "at-risk", SEVERITY_WARNING },
	[VERDICT_HEALTHY] = { "healthy", SEVERITY_OK },
	[VERDICT_UNKNOWN] = { "unknown", SEVERITY_UNKNOWN },
};

static const struct {
	const char *name;
	enum severity severity;
} outcomes[OUTCOME_COUNT] = {
	[OUTCOME_REREGISTERED] = { "reregistered", SEVERITY_OK },
	[OUTCOME_KEPT] = { "kept", SEVERITY_OK },
	[OUTCOME_FINISHED] = { "finished", SEVERITY_OK },
	[OUTCOME_SELF_TERMINATED] = { "self-terminated", SEVERITY_CRITICAL },
	[OUTCOME_KILLED_BY_AGENT] = { "killed-by-agent", SEVERITY_CRITICAL },
	[OUTCOME_KILLED] = { "killed", SEVERITY_CRITICAL },
	[OUTCOME_CRASHED] = { "crashed", SEVERITY_CRITICAL },
	[OUTCOME_WAITING] = { "waiting", SEVERITY_WARNING },
	[OUTCOME_UNKNOWN] = { "unknown", SEVERITY_UNKNOWN },
};

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].name;
}

enum severity verdict_severity(enum verdict verdict)
{
	return verdicts[verdict].severity;
}

bool verdict_parse(const char *text, enum verdict *verdict)
{
	for (int v = 0; v < VERDICT_COUNT; v++) {
		if (strcmp(text, verdicts[v].name) == 0) {
			*verdict = (enum verdict)v;
			return true;
		}
	}
	return false;
}

const char *outcome_name(enum outcome outcome)
{
	return outcomes[outcome].name;
}

enum severity outcome_severity(enum outcome outcome)
{
	return outcomes[outcome].severity;
}

const char *proof_name(enum proof proof)
{
	static const char *const names[] = { NULL, "message", "api", "link" };

	return names[proof];
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "ok", "warning", "critical", "unknown" };

	return names[severity];
}

const char *protocol_name(enum protocol protocol)
{
	static const char *const names[] = { "unknown", "v0", "v1" };

	return names[protocol];
}

const char *conntrack_name(enum conntrack conntrack)
{
	static const char *const names[] = { "unknown", "entry", "none", "off" };

	return names[conntrack];
}

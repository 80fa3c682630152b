/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "model/verdict_table.h"

static const struct {
	const char *name;
	enum severity severity;
	enum restart_effect effect;
	enum touch touch;
	const char *refusal;
} verdicts[VERDICT_COUNT] = {
	[VERDICT_UNKNOWN] = { "unknown", SEVERITY_UNKNOWN, EFFECT_UNKNOWN, TOUCH_NEVER,
			      "evidence that decides could not be read" },
	[VERDICT_FOREIGN] = { "foreign", SEVERITY_OK, EFFECT_NOT_CONCERNED, TOUCH_NEVER,
			      "it belongs to another agent" },
	[VERDICT_ORPHANED] = { "orphaned", SEVERITY_CRITICAL, EFFECT_LOST, TOUCH_NEVER,
			       "no agent will take it back: it would only end sooner" },
	[VERDICT_NO_CHECKPOINT] = { "no-checkpoint", SEVERITY_CRITICAL, EFFECT_LOST, TOUCH_NEVER,
				    "its framework does not checkpoint: it would end at once" },
	[VERDICT_UNREGISTERED] = { "unregistered", SEVERITY_CRITICAL, EFFECT_LOST, TOUCH_NEVER,
				   "it has never registered: it would end at once" },
	[VERDICT_SAME_FATE] = { "same-fate", SEVERITY_CRITICAL, EFFECT_LOST, TOUCH_NEVER,
				"what stops the agent stops it too: a treatment does not help" },
	[VERDICT_UNRESPONSIVE] = { "unresponsive", SEVERITY_CRITICAL, EFFECT_LOST, TOUCH_NEVER,
				   "it cannot answer: it is stopped, frozen or hangs" },
	[VERDICT_DISCONNECTED] = { "disconnected", SEVERITY_CRITICAL, EFFECT_NEEDS_RESTART,
				   TOUCH_NEVER,
				   "it is disconnected: a second disconnect would end it at once" },
	[VERDICT_SELF_HEALING] = { "self-healing", SEVERITY_OK, EFFECT_SURVIVES, TOUCH_IF_ASKED,
				   NULL },
	[VERDICT_HALF_OPEN] = { "half-open", SEVERITY_WARNING, EFFECT_LOST_UNTREATED,
				TOUCH_BY_DEFAULT, NULL },
	[VERDICT_AT_RISK] = { "at-risk", SEVERITY_WARNING, EFFECT_LOST_UNTREATED, TOUCH_BY_DEFAULT,
			      NULL },
	[VERDICT_HEALTHY] = { "healthy", SEVERITY_OK, EFFECT_SURVIVES, TOUCH_IF_ASKED, NULL },
};

static const struct {
	const char *name;
	enum severity severity;
} outcomes[OUTCOME_COUNT] = {
	[OUTCOME_UNKNOWN] = { "unknown", SEVERITY_UNKNOWN },
	[OUTCOME_REREGISTERED] = { "reregistered", SEVERITY_OK },
	[OUTCOME_KEPT] = { "kept", SEVERITY_OK },
	[OUTCOME_FINISHED] = { "finished", SEVERITY_OK },
	[OUTCOME_TASK_KILLED] = { "task-killed", SEVERITY_OK },
	[OUTCOME_TASK_FAILED] = { "task-failed", SEVERITY_CRITICAL },
	[OUTCOME_SELF_TERMINATED] = { "self-terminated", SEVERITY_CRITICAL },
	[OUTCOME_KILLED_BY_AGENT] = { "killed-by-agent", SEVERITY_CRITICAL },
	[OUTCOME_KILLED] = { "killed", SEVERITY_CRITICAL },
	[OUTCOME_CRASHED] = { "crashed", SEVERITY_CRITICAL },
	[OUTCOME_LOST] = { "lost", SEVERITY_CRITICAL },
	[OUTCOME_ORPHANED] = { "orphaned", SEVERITY_CRITICAL },
	[OUTCOME_WAITING] = { "waiting", SEVERITY_WARNING },
};

enum restart_effect verdict_effect(enum verdict verdict)
{
	return verdicts[verdict].effect;
}

enum touch verdict_touch(enum verdict verdict)
{
	return verdicts[verdict].touch;
}

const char *verdict_refusal(enum verdict verdict)
{
	return verdicts[verdict].refusal;
}

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
	static const char *const names[] = { "unknown", "ok", "warning", "critical" };

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

const char *cause_name(enum cause cause)
{
	static const char *const names[] = { NULL, "event", "disk", "api", "log" };

	return names[cause];
}

int severity_rank(enum severity severity)
{
	static const int rank[] = { [SEVERITY_CRITICAL] = 0,
				    [SEVERITY_UNKNOWN] = 1,
				    [SEVERITY_WARNING] = 2,
				    [SEVERITY_OK] = 3 };

	return rank[severity];
}

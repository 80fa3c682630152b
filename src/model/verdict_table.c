/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "model/verdict_table.h"

static const struct {
	const char *name;
	enum severity severity;
	enum restart_effect effect;
	enum touch touch;
	const char *refusal;   /* of TOUCH_NEVER: why */
	const char *advice;    /* NULL: it depends on the evidence, judge/advice.c */
	bool passing;	       /* a change that is seen in part looks like this as well */
	enum outcome appeared; /* of an executor that came after the audit and has it */
} verdicts[VERDICT_COUNT] = {
	[VERDICT_UNKNOWN] = {
		.name = "unknown",
		.severity = SEVERITY_UNKNOWN,
		.effect = EFFECT_UNKNOWN,
		.touch = TOUCH_NEVER,
		.refusal = "evidence that decides could not be read",
		.passing = true,
		.appeared = OUTCOME_UNKNOWN,
	},
	[VERDICT_FOREIGN] = {
		.name = "foreign",
		.severity = SEVERITY_OK,
		.effect = EFFECT_NOT_CONCERNED,
		.touch = TOUCH_NEVER,
		.refusal = "it belongs to another agent",
		.advice = "",
		.appeared = OUTCOME_KEPT,
	},
	[VERDICT_ORPHANED] = {
		.name = "orphaned",
		.severity = SEVERITY_CRITICAL,
		.effect = EFFECT_LOST,
		.touch = TOUCH_NEVER,
		.refusal = "no agent will take it back: it would only end sooner",
		.appeared = OUTCOME_KEPT,
	},
	[VERDICT_NO_CHECKPOINT] = {
		.name = "no-checkpoint",
		.severity = SEVERITY_CRITICAL,
		.effect = EFFECT_LOST,
		.touch = TOUCH_NEVER,
		.refusal = "its framework does not checkpoint: it would end at once",
		.advice = "Its task is lost when the agent restarts: move it away first, or accept that.",
		.appeared = OUTCOME_KEPT,
	},
	[VERDICT_UNREGISTERED] = {
		.name = "unregistered",
		.severity = SEVERITY_CRITICAL,
		.effect = EFFECT_LOST,
		.touch = TOUCH_NEVER,
		.refusal = "it has never registered: it would end at once",
		.advice = "Wait until it has registered, then audit again; a restart now loses it.",
		.passing = true,
		.appeared = OUTCOME_WAITING,
	},
	[VERDICT_SAME_FATE] = {
		.name = "same-fate",
		.severity = SEVERITY_CRITICAL,
		.effect = EFFECT_LOST,
		.touch = TOUCH_NEVER,
		.refusal = "what stops the agent stops it too: a treatment does not help",
		.appeared = OUTCOME_KEPT,
	},
	[VERDICT_UNRESPONSIVE] = {
		.name = "unresponsive",
		.severity = SEVERITY_CRITICAL,
		.effect = EFFECT_LOST,
		.touch = TOUCH_NEVER,
		.refusal = "it cannot answer: it is stopped, frozen or hangs",
		.appeared = OUTCOME_KEPT,
	},
	[VERDICT_DISCONNECTED] = {
		.name = "disconnected",
		.severity = SEVERITY_CRITICAL,
		.effect = EFFECT_NEEDS_RESTART,
		.touch = TOUCH_NEVER,
		.refusal = "it is disconnected: a second disconnect would end it at once",
		.passing = true,
		.appeared = OUTCOME_WAITING,
	},
	[VERDICT_SELF_HEALING] = {
		.name = "self-healing",
		.severity = SEVERITY_OK,
		.effect = EFFECT_SURVIVES,
		.touch = TOUCH_IF_ASKED,
		.advice = "",
		.appeared = OUTCOME_KEPT,
	},
	[VERDICT_HALF_OPEN] = {
		.name = "half-open",
		.severity = SEVERITY_WARNING,
		.effect = EFFECT_LOST_UNTREATED,
		.touch = TOUCH_BY_DEFAULT,
		.passing = true,
		.appeared = OUTCOME_UNKNOWN,
	},
	[VERDICT_AT_RISK] = {
		.name = "at-risk",
		.severity = SEVERITY_WARNING,
		.effect = EFFECT_LOST_UNTREATED,
		.touch = TOUCH_BY_DEFAULT,
		.appeared = OUTCOME_KEPT,
	},
	[VERDICT_HEALTHY] = {
		.name = "healthy",
		.severity = SEVERITY_OK,
		.effect = EFFECT_SURVIVES,
		.touch = TOUCH_IF_ASKED,
		.advice = "",
		.appeared = OUTCOME_KEPT,
	},
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

const char *verdict_advice(enum verdict verdict)
{
	return verdicts[verdict].advice ? verdicts[verdict].advice : "";
}

bool verdict_is_passing(enum verdict verdict)
{
	return verdicts[verdict].passing;
}

enum outcome verdict_appeared(enum verdict verdict)
{
	return verdicts[verdict].appeared;
}

bool verdict_is_of_agent(enum verdict verdict)
{
	return verdicts[verdict].effect != EFFECT_NOT_CONCERNED;
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

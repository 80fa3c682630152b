/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/end_unseen.h"

#include <netinet/tcp.h>
#include <string.h>

#include "base/arena.h"
#include "model/judge/exit_by_task.h"

/* Reasons of an agent that ended the executor itself (Mesos slave/slave.cpp). */
static const char *agents_reason(const char *reason)
{
	static const struct {
		const char *reason, *what;
	} known[] = {
		{ "REASON_EXECUTOR_REREGISTRATION_TIMEOUT", "it had not registered again in time" },
		{ "REASON_EXECUTOR_REGISTRATION_TIMEOUT", "it had not registered in time" },
		{ "REASON_FRAMEWORK_REMOVED", "its framework was removed" },
		{ "REASON_AGENT_REMOVED", "the agent was removed" },
		{ "REASON_CONTAINER_LIMITATION", "its container exceeded a limit" },
		{ "REASON_CONTAINER_LIMITATION_MEMORY",
		  "its container exceeded its limit of memory" },
		{ "REASON_CONTAINER_LIMITATION_DISK", "its container exceeded its limit of disk" },
		{ "REASON_CONTAINER_PREEMPTED", "its container was preempted" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(reason, known[i].reason) == 0)
			return known[i].what;
	return NULL;
}

bool end_by_agents_reason(const struct task_fate *task, struct arena *arena, struct fate *fate)
{
	const struct task_end *end = task->worst;
	const char *what = end && !task->own ? agents_reason(end->reason) : NULL;

	if (!what)
		return false;
	fate->outcome = OUTCOME_KILLED_BY_AGENT;
	fate->cause = end->source;
	fate->advice = ADVICE_LOST;
	fate->why = arena_printf(arena, "The agent ended it: %s (%s, %s in %s).", what, end->state,
				 end->reason, exit_source_text(end->source));
	return true;
}

/* True when the agent's record says that it found the executor gone. */
static bool by_agents_record(const struct task_fate *task, struct arena *arena, struct fate *fate)
{
	const struct task_end *end = task->worst;

	if (!end || task->own)
		return false;
	fate->cause = end->source;
	fate->advice = ADVICE_LOST;
	fate->outcome = OUTCOME_LOST;
	fate->why = arena_printf(
		arena,
		"It has exited; the cause was not observed. Its framework was told "
		"%s%s%s (%s).",
		end->state, *end->reason ? ", " : "", end->reason, exit_source_text(end->source));
	return true;
}

static int weight(const struct post_mortem *found)
{
	return strcmp(found->source, "disk") == 0 ? 3 : strcmp(found->source, "api") == 0 ? 2 : 1;
}

/* A log is only a hint, since tasks write into the same file: it never proves a good end. */
static bool outcome_of_end(const struct post_mortem *found, enum outcome *outcome)
{
	static const enum outcome bad[] = { OUTCOME_SELF_TERMINATED, OUTCOME_KILLED_BY_AGENT,
					    OUTCOME_KILLED, OUTCOME_CRASHED, OUTCOME_TASK_FAILED };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (strcmp(found->cause, outcome_name(bad[i])) == 0) {
			*outcome = bad[i];
			return true;
		}
	}
	return false;
}

/* Fills fate from the best of the records whose outcome is among these bits (1 << outcome). */
static bool by_what_was_found(const struct store *store, const struct fact_baseline *b,
			      uint32_t outcomes, struct arena *arena, struct fate *fate)
{
	const struct run_key key = { b->framework_id, b->executor_id, b->container_id };
	const struct run_end *run = store_run_end(store, &key);
	const struct post_mortem *best = NULL;
	enum outcome outcome;

	for (const struct post_mortem *f = run ? run->found : NULL; f; f = f->next)
		if (outcome_of_end(f, &outcome) && outcomes & 1u << outcome &&
		    (!best || weight(f) > weight(best)))
			best = f;
	if (!best || !outcome_of_end(best, &fate->outcome))
		return false;
	fate->cause = weight(best) == 3 ? CAUSE_DISK : weight(best) == 2 ? CAUSE_API : CAUSE_LOG;
	fate->why = arena_printf(arena, "It has exited: %s", best->text);
	fate->advice = ADVICE_LOST;
	return true;
}

bool end_by_recorded_sender(const struct store *store, const struct fact_baseline *b,
			    struct arena *arena, struct fate *fate)
{
	return by_what_was_found(store, b,
				 1u << OUTCOME_KILLED_BY_AGENT | 1u << OUTCOME_SELF_TERMINATED,
				 arena, fate);
}

/* The executor's link of the baseline is still open: the scan missed the process. */
static bool has_its_link(const struct store *store, const struct fact_baseline *b)
{
	const struct connection *conn = b->link ? store_connection_find(store, b->link) : NULL;

	return conn && conn->facts.state == TCP_ESTABLISHED &&
	       connection_is_of(conn, b->pid, b->start);
}

void end_unseen_judge(const struct store *store, const struct fact_baseline *b,
		      const struct process *process, struct arena *arena, struct fate *fate)
{
	struct task_fate task = task_fate_of(store, b, 0);

	fate->ended = process ? process->ended_at : 0;
	fate->advice = ADVICE_LOOK;
	if (!(store->complete & SCAN_PROCESSES)) {
		fate->why = "The processes of this host could not all be read: whether it lives is "
			    "not known.";
	} else if (has_its_link(store, b)) {
		fate->why = "No such process was found, but its link is open: whether it lives is "
			    "not known.";
	} else if (task.complete && task.own && task.arrived) {
		fate->advice = "";
		exit_by_task(store, b, process, &task, arena, fate);
	} else if (end_by_agents_reason(&task, arena, fate) ||
		   by_what_was_found(store, b, ~0u, arena, fate) ||
		   by_agents_record(&task, arena, fate)) {
		return;
	} else if (b->pid <= 0) {
		fate->why =
			"No process of it was found, at the audit neither: what became of it is "
			"not known.";
	} else {
		fate->outcome = OUTCOME_LOST;
		fate->why = "It has exited; the cause was not observed.";
	}
	if (fate->outcome == OUTCOME_UNKNOWN)
		fate->cause = CAUSE_NONE;
}

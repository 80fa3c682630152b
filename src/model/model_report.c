/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Builds a report. */
#include <string.h>

#include "base/arena.h"
#include "model/exit_code.h"
#include "model/model_private.h"
#include "model/store/session.h"

static bool act_is(const struct report_act *act, const char *result)
{
	return strcmp(act->result, result) == 0;
}

/*
 * True when a deciding scan failed, no executor was found and an object could not be read, or the
 * results of acts are not in the audit log.
 */
static bool is_unknown(const struct store *store, const struct report *report)
{
	static const uint32_t needed = SCAN_SOCKETS | SCAN_PROCESSES;

	return store->incomplete || store_acts_unwritten(store) ||
	       (store->complete & needed) != needed || (!report->n_executors && store->unread.n);
}

static void severity_note(struct exit_facts *facts, enum severity severity)
{
	facts->critical |= severity == SEVERITY_CRITICAL;
	facts->unknown |= severity == SEVERITY_UNKNOWN;
	facts->warning |= severity == SEVERITY_WARNING;
}

/*
 * The exit code of an acting verb counts untreated executors only. A treated executor keeps its
 * verdict from before the act; one disconnected by an earlier act needs none. One that is shutting
 * down counts whatever was done.
 */
static bool was_treated(const struct report *report, const struct report_executor *executor)
{
	bool done = executor->treated;

	for (size_t i = 0; i < report->n_acts; i++) {
		if (report->acts[i].pid != executor->pid)
			continue;
		if (!act_is(&report->acts[i], "done"))
			return false;
		done = true;
	}
	return done && !executor->ends_by;
}

static int exit_code(const struct store *store, const struct report *report)
{
	struct exit_facts facts = {
		.interrupted = store->interrupted,
		.unknown = is_unknown(store, report),
		.nobody = report_has_nobody(report),
		.not_restarted = report->restart_wanted && !report->agent.restarted,
	};

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];

		if (report->kind != REPORT_SHUTDOWN || !was_treated(report, executor))
			severity_note(&facts, executor->severity);
	}
	for (size_t i = 0; i < report->n_ended; i++)
		severity_note(&facts, report->ended[i].severity);
	for (size_t i = 0; i < report->n_findings; i++)
		severity_note(&facts, finding_weight(&report->findings[i]));
	for (size_t i = 0; i < report->n_acts; i++)
		facts.undone |= act_is(&report->acts[i], "failed") ||
				act_is(&report->acts[i], "refused") ||
				act_is(&report->acts[i], "sent");
	return exit_code_of(&facts);
}

static void head_fill(const struct store *store, struct report *report)
{
	struct arena *arena = report->arena;

	report->tool = arena_text(arena, store->session.tool);
	report->host = arena_text(arena, store->session.host);
	report->boot_id = arena_text(arena, store->session.boot_id);
	report->generated = store_wall(store, store->now);
	report->agent_port = store->session.agent_port;
	report->ports = store->ports;
	report->interrupted = store->interrupted;
	report->restart_wanted = store->session.restart_wanted &&
				 (report->kind == REPORT_RUN || report->kind == REPORT_GUARD);
	report->dry_run = store->session.dry_run;
	report->blind = (store->complete & (SCAN_SOCKETS | SCAN_PROCESSES)) !=
			(SCAN_SOCKETS | SCAN_PROCESSES);
	if (*(store->command.text ? store->command.text : "")) {
		report->command = arena_text(arena, store->command.text);
		report->command_ended = store->command_ended != 0;
		report->command_status = store->command.status;
	}
}

/* Nothing has become of anybody: what a restart would do now counts. */
static int dry_run_exit_code(const struct model *model)
{
	struct report *audit = model_report(model, REPORT_AUDIT);
	int code = audit ? audit->exit_code : 3;

	report_free(audit);
	return code;
}

struct report *model_report(const struct model *model, enum report_kind kind)
{
	const struct store *store = model_store(model);
	struct arena *arena = arena_new();
	struct report *report = arena ? arena_array(arena, 1, sizeof(*report)) : NULL;
	struct executors view;

	if (!report)
		goto broken;
	report->arena = arena;
	report->kind = kind;
	executors_build(&view, store, arena);
	head_fill(store, report);
	report_executors_fill(&view, report);
	report_node_fill(&view, report);
	report_findings_fill(&view, report);
	report_notes_fill(&view, report);
	report->exit_code = report->dry_run && report_has_outcomes(report)
				    ? dry_run_exit_code(model)
				    : exit_code(store, report);
	if (!arena_broken(arena) && !store->broken)
		return report;
broken:
	arena_free(arena);
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* run --hold-at: who still waits for an agent is held in time. */
#include "cli/holding_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/now.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"

#define AGENT_ANSWERS "agent-answers"

/* What was refused is tried again for another reason, or for none: one that was stopped runs. */
static bool was_tried(const struct hold_later *later, const struct model_hold *hold)
{
	for (size_t i = 0; i < later->n; i++) {
		const char *reason = later->tried[i].reason_id;

		if (later->tried[i].pid == hold->pid && later->tried[i].start == hold->start &&
		    (!reason || (hold->reason_id && strcmp(reason, hold->reason_id) == 0)))
			return true;
	}
	return false;
}

static bool is_due_now(const struct hold_later *later, const struct model_hold *hold)
{
	return hold->disconnected && !hold->needless &&
	       now_wall() - hold->disconnected >= later->options->hold_at &&
	       !was_tried(later, hold);
}

/* Due, and not tried before: those stay in the plan, and count as tried. */
static void due_keep(struct hold_later *later, struct holding *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct model_hold *hold = &h->plan[i];

		if (!is_due_now(later, hold) ||
		    array_reserve(&later->tried, &later->cap, later->n, sizeof(*later->tried)) < 0)
			continue;
		later->tried[later->n].pid = hold->pid;
		later->tried[later->n].start = hold->start;
		later->tried[later->n++].reason_id = hold->reason_id;
		h->plan[kept++] = *hold;
	}
	h->n = kept;
}

/* By what the events say: does it make sense to look at the node? */
static bool is_due(const struct hold_later *later)
{
	struct report *report = model_report(session_model(later->session), REPORT_AUDIT);
	struct holding h = { .options = later->options };
	bool due = false;

	if (report && !report->agent.pid && holding_plan(&h, report) == 0)
		for (size_t i = 0; i < h.n; i++)
			due |= is_due_now(later, &h.plan[i]);
	holding_free(&h);
	report_free(report);
	return due;
}

/* An agent that came at that moment may end before it has asked anybody, and another one follow. */
static void retry_allow(struct hold_later *later, const struct report_act *act)
{
	if (!act->reason_id || strcmp(act->reason_id, AGENT_ANSWERS) != 0)
		return;
	for (size_t i = 0; i < later->n; i++)
		if (later->tried[i].pid == act->pid)
			later->tried[i].reason_id = AGENT_ANSWERS;
}

/* Those of the acts behind the first ones. */
static void results_note(struct hold_later *later, const struct holding *h,
			 const struct report *report, size_t first)
{
	for (size_t i = first; report && i < report->n_acts; i++)
		for (size_t j = 0; j < h->n; j++) {
			const struct report_act *act = &report->acts[i];

			if (act->pid != h->plan[j].pid || strcmp(act->action, "hold") != 0)
				continue;
			log_message("%s (pid %d): %s%s%s", act->executor_id, act->pid, act->result,
				    *act->reason ? ": " : "", act->reason);
			retry_allow(later, act);
		}
}

static void hold_due(struct hold_later *later)
{
	struct holding h = { .options = later->options, .session = later->session };
	struct report *audit, *after;
	bool told_only;
	int code;

	audit = session_audit(later->session);
	code = audit ? holding_plan(&h, audit) : EXIT_UNKNOWN;
	if (!code)
		due_keep(later, &h);
	if (!code && h.n)
		code = holding_targets(&h);
	if (!code && h.n) {
		later->failed |= holding_send(&h, &told_only) != 0 || told_only;
		after = model_report(session_model(later->session), REPORT_AUDIT);
		results_note(later, &h, after, audit->n_acts);
		report_free(after);
	}
	holding_free(&h);
	report_free(audit);
}

void hold_later_tick(void *ctx)
{
	struct hold_later *later = ctx;

	if (now_mono() - later->looked < NS_PER_S / 2)
		return;
	later->looked = now_mono();
	session_glance(later->session);
	if (is_due(later))
		hold_due(later);
}

void hold_later_end(struct hold_later *later)
{
	free(later->tried);
}

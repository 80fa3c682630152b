/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keeps the plan of a guard up to date: what of the events changes it. */
#include "cli/guard_private.h"

#include <netinet/tcp.h>
#include <string.h>

#include "act/audit_log.h"
#include "base/error.h"
#include "base/now.h"
#include "cli/guard_plan.h"
#include "cli/log.h"
#include "cli/session.h"

#define RENEW_SOONEST (NS_PER_S / 5) /* after the last renewal of the plan */

/* Messages after which another executor is to be guarded, or one must not be touched. */
static bool changes_registration(const char *message)
{
	return strstr(message, "egister") || strstr(message, "Reconnect") ||
	       strcmp(message, "SUBSCRIBE") == 0;
}

static void note_tcp(struct guard *guard, const struct fact_tcp *tcp)
{
	if (tcp->remote.port != guard->port ||
	    (tcp->to != TCP_ESTABLISHED && tcp->to != TCP_CLOSE && tcp->to != TCP_CLOSE_WAIT))
		return;
	guard->stale = true;
	guard->wants_scan |= tcp->to == TCP_ESTABLISHED;
}

static void note_act(struct guard *guard, const struct fact_act *act)
{
	if (strcmp(act->phase, "result") != 0)
		return;
	guard->done += strcmp(act->result, "done") == 0;
	guard->last = act->begun > guard->last ? act->begun : guard->last;
	/* Lines are written in their order: none is kept back, so this one is in the log. */
	if (guard->plan && !audit_log_unwritten(guard->log))
		guard_plan_logged(guard->plan, act->cookie);
}

void guard_note(struct guard *guard, const struct fact *fact)
{
	if (!guard)
		return;
	switch (fact->type) {
	case FACT_EXIT:
		guard->stale = true;
		if (fact->exit.pid == guard->agent && fact->exit.start == guard->agent_start &&
		    !guard->ended) {
			guard->ended = true;
			guard->at = fact->mono;
		}
		break;
	case FACT_TCP:
		note_tcp(guard, &fact->tcp);
		break;
	case FACT_MESSAGE:
		if (changes_registration(fact->message.name))
			guard->stale = guard->wants_scan = true;
		break;
	case FACT_ACT:
		note_act(guard, &fact->act);
		break;
	default:
		break;
	}
}

bool guard_wants_scan(const struct guard *guard)
{
	return guard_waits(guard) && guard->wants_scan;
}

void guard_scanned(struct guard *guard)
{
	if (!guard)
		return;
	guard->wants_scan = false;
	guard->stale = true;
}

void guard_tend(struct guard *guard)
{
	struct error error = { 0 };
	bool serves;

	guard_log_retry(guard, false);
	if (!guard_waits(guard) || !guard->plan || guard->ended)
		return;
	serves = model_agent_serves(session_model(guard->session));
	if ((!guard->stale && serves == guard->serves) ||
	    now_mono() - guard->renewed < RENEW_SOONEST)
		return;
	guard->stale = false;
	guard->serves = serves;
	if (guard_plan_renew(guard->plan, &error) < 0)
		log_warning_without(&error);
	guard->renewed = now_mono();
}

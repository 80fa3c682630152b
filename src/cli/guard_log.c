/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Completes the audit log of a guard whose disk was full. */
#include "cli/guard_private.h"

#include "act/act_report.h"
#include "act/audit_log.h"
#include "base/now.h"
#include "cli/guard_plan.h"
#include "cli/log.h"
#include "cli/session.h"

void guard_log_retry(struct guard *guard, bool last)
{
	struct fact_sink sink;

	if (!guard || !guard->log || !audit_log_unwritten(guard->log) ||
	    (!last && now_mono() - guard->retried < NS_PER_S))
		return;
	guard->retried = now_mono();
	sink = session_sink(guard->session);
	if (act_report_retry(guard->log, &sink, NULL) < 0)
		return;
	if (guard->plan)
		guard_plan_all_logged(guard->plan);
	log_message("the audit log has all results now");
}

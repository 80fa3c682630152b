/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which executors may be held: v0 ones that wait for an agent while none is there. */
#include <errno.h>
#include <stdlib.h>

#include "model/model_private.h"

struct reason {
	const char *id, *text;
};

bool model_waits(const struct report_executor *executor)
{
	return executor->verdict == VERDICT_DISCONNECTED ||
	       (executor->verdict == VERDICT_UNRESPONSIVE &&
		(executor->disconnected || !executor->n_links));
}

static bool is_wanted(const struct report_executor *executor, const struct model_choice *choice)
{
	return choice->pid ? executor->pid == choice->pid : model_waits(executor);
}

static struct reason refused(const struct report *audit, const struct report_executor *executor)
{
	if (audit->agent.pid)
		return (struct reason){ "agent-answers",
					"an agent listens on the port: restart it instead" };
	if (executor->protocol == PROTOCOL_V1)
		return (struct reason){ "v1", "it speaks the v1 HTTP API, which has no message "
					      "that stops its clock" };
	if (!model_waits(executor))
		return (struct reason){ "not-disconnected", "it is not disconnected: it waits for "
							    "no agent" };
	if (executor->ends_by)
		return (struct reason){ "too-late", "its recovery timeout has run out: it is "
						    "ending itself" };
	if (executor->asked)
		return (struct reason){ "asked", "an agent has asked it to reconnect, and it has "
						 "not registered again: it is not known to wait" };
	if (executor->verdict == VERDICT_UNRESPONSIVE)
		return (struct reason){ "unresponsive", "it does not run: it would take the "
							"message later, perhaps too late" };
	if (!*executor->upid || !*executor->slave_pid || !*executor->slave_id)
		return (struct reason){ "no-address", "where it listens, or which agent it had, is "
						      "not known" };
	return (struct reason){ 0 };
}

static struct model_hold hold_of(const struct report *audit, const struct report_executor *e)
{
	struct reason reason = refused(audit, e);
	struct model_hold hold = {
		.executor_id = e->executor_id,
		.framework_id = e->framework_id,
		.pid = e->pid,
		.start = e->start,
		.verdict = e->verdict,
		.upid = e->upid,
		.slave_pid = e->slave_pid,
		.slave_id = e->slave_id,
		.disconnected = e->disconnected,
		.deadline = e->deadline,
		.deadline_latest = e->deadline_latest,
		.refused = reason.text,
		.reason_id = reason.id,
	};

	if (!reason.id && e->held) {
		hold.reason_id = "held";
		hold.needless = "it is held already";
	}
	return hold;
}

/* Those that end first are held first. */
static int hold_order(const void *a, const void *b)
{
	const struct model_hold *x = a, *y = b;

	if (!x->reason_id != !y->reason_id)
		return x->reason_id ? 1 : -1;
	if (x->deadline != y->deadline)
		return x->deadline < y->deadline ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int model_holds(const struct report *audit, const struct model_choice *choice,
		struct model_hold **ret, size_t *n)
{
	struct model_hold *holds = calloc(audit->n_executors + 1, sizeof(*holds));
	size_t count = 0;

	if (!holds)
		return -ENOMEM;
	for (size_t i = 0; i < audit->n_executors; i++)
		if (is_wanted(&audit->executors[i], choice))
			holds[count++] = hold_of(audit, &audit->executors[i]);
	qsort(holds, count, sizeof(*holds), hold_order);
	*ret = holds;
	*n = count;
	return 0;
}

void model_holds_check(struct model_hold *holds, size_t n, const struct model_hold *later,
		       size_t n_later)
{
	for (size_t i = 0; i < n; i++) {
		if (holds[i].reason_id)
			continue;
		holds[i].changed = "it has ended, or waits no longer";
		for (size_t j = 0; j < n_later; j++)
			if (later[j].pid == holds[i].pid && later[j].start == holds[i].start)
				holds[i].changed =
					later[j].refused ? later[j].refused : later[j].needless;
	}
}

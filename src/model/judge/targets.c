/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "model/model_private.h"
#include "model/verdict_table.h"

static bool wanted(const struct report_executor *executor, const struct model_choice *choice)
{
	if (choice->pid)
		return executor->pid == choice->pid;
	if (choice->all)
		return verdict_is_of_agent(executor->verdict); /* all of this agent's */
	if (choice->verdicts)
		return choice->verdicts & 1u << executor->verdict;
	return verdict_touch(executor->verdict) == TOUCH_BY_DEFAULT;
}

/* One for each link; one without a link for an executor that must not be touched and has none. */
static size_t targets_of(const struct report_executor *executor, struct model_target *targets)
{
	struct model_target target = {
		.executor_id = executor->executor_id,
		.framework_id = executor->framework_id,
		.pid = executor->pid,
		.start = executor->start,
		.fd = -1,
		.verdict = executor->verdict,
		.recovery_timeout = executor->recovery_timeout,
		.forbidden = executor->forbidden,
	};

	if (target.forbidden) {
		targets[0] = target;
		return 1;
	}
	for (size_t i = 0; i < executor->n_links; i++) {
		const struct report_link *link = &executor->links[i];

		targets[i] = target;
		targets[i].fd = link->fd;
		targets[i].cookie = link->cookie;
		targets[i].inode = link->inode;
		if (link->state != TCP_ESTABLISHED)
			targets[i].forbidden = "its link is not ESTABLISHED";
		else if (link->fd < 0)
			targets[i].forbidden = "its descriptor is not known";
	}
	return executor->n_links;
}

static int target_order(const void *a, const void *b)
{
	const struct model_target *x = a, *y = b;

	if (!x->forbidden != !y->forbidden)
		return x->forbidden ? 1 : -1;
	if (x->recovery_timeout != y->recovery_timeout)
		return x->recovery_timeout < y->recovery_timeout ? -1 : 1;
	return x->pid != y->pid ? x->pid - y->pid : x->fd - y->fd;
}

void model_targets_sort(struct model_target *targets, size_t n)
{
	qsort(targets, n, sizeof(*targets), target_order);
}

int model_select(const struct report *report, const struct model_choice *choice,
		 struct model_target **ret, size_t *n)
{
	struct model_target *targets;
	size_t room = 1, count = 0;

	for (size_t i = 0; i < report->n_executors; i++)
		room += 1 + report->executors[i].n_links;
	targets = calloc(room, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < report->n_executors; i++)
		if (wanted(&report->executors[i], choice))
			count += targets_of(&report->executors[i], targets + count);
	model_targets_sort(targets, count);
	*ret = targets;
	*n = count;
	return 0;
}

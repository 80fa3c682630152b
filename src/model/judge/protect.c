/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which links keepalive may be set on: those that are sound now, and whose entry still exists. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/keepalive.h"
#include "base/now.h"
#include "model/model_private.h"
#include "model/verdict_table.h"

/* Shorter entries cannot be renewed in time by probes that are a second apart at least. */
#define LIFETIME_LEAST (3 * NS_PER_S)

struct reason {
	const char *id, *text;
};

static bool is_wanted(const struct report_executor *executor, const struct model_choice *choice)
{
	if (choice->pid)
		return executor->pid == choice->pid;
	if (choice->verdicts)
		return choice->verdicts & 1u << executor->verdict;
	return verdict_is_of_agent(executor->verdict);
}

/* Rules of acting come first: no reason of a link lifts them. */
static struct reason refused_executor(const struct report_executor *executor)
{
	if (executor->forbidden)
		return (struct reason){ "forbidden", executor->forbidden };
	if (verdict_touch(executor->verdict) == TOUCH_NEVER)
		return (struct reason){ "forbidden", verdict_refusal(executor->verdict) };
	return (struct reason){ 0 };
}

/* A probe on a dead link ends it, and starts the executor's clock. */
static struct reason refused_link(const struct report_link *link)
{
	if (link->state != TCP_ESTABLISHED)
		return (struct reason){ "wrong-state", "its link is not ESTABLISHED" };
	if (link->fd < 0)
		return (struct reason){ "no-fd", "its descriptor is not known" };
	if (link->agent_end != EW_YES)
		return (struct reason){
			"no-agent-end",
			link->agent_end == EW_NO
				? "its link has no agent's end: a probe would break "
				  "the link"
				: "whether the agent has the other end of its link "
				  "is not known"
		};
	if (link->conntrack == CONNTRACK_NONE)
		return (struct reason){ "no-entry", "its entry of connection tracking is gone: a "
						    "probe would break the link" };
	if (link->conntrack == CONNTRACK_UNKNOWN ||
	    (link->conntrack == CONNTRACK_ENTRY && link->expires < 0))
		return (struct reason){ "entry-unknown",
					"its entry of connection tracking could not be read" };
	return (struct reason){ 0 };
}

static struct reason refused_time(const struct report_link *link, uint32_t idle)
{
	int64_t lifetime = link->keepalive.lifetime;

	if (!lifetime)
		return (struct reason){ 0 };
	if (lifetime < LIFETIME_LEAST)
		return (struct reason){ "short-lived",
					"its entry lasts less than 3 s, which keepalive cannot "
					"renew in time" };
	if (idle * NS_PER_S > lifetime / 2)
		return (struct reason){ "idle-too-long", "the idle time is more than half of what "
							 "its entry lasts" };
	return (struct reason){ 0 };
}

/*
 * An act that was killed may have left the idle time of 1 s by which it had the first probe sent:
 * that is set right, if the entry lasts for longer.
 */
static bool is_left_over(const struct link_keepalive *k)
{
	return k->idle == 1 && keepalive_idle_for(k->lifetime) > 1;
}

static struct reason needless(const struct report_link *link, uint32_t idle)
{
	const struct link_keepalive *k = &link->keepalive;

	if (link->conntrack == CONNTRACK_OFF)
		return (struct reason){ "not-tracked",
					"no connection tracking is in force that could forget its "
					"link" };
	if (k->renewed == EW_YES && (idle ? k->idle == idle : !is_left_over(k)))
		return (struct reason){ "protected",
					"it is protected: keepalive renews its entry" };
	return (struct reason){ 0 };
}

static struct model_protection protection_of(const struct report_executor *executor,
					     const struct report_link *link, uint32_t idle)
{
	struct model_protection p = {
		.target = {
			.executor_id = executor->executor_id,
			.framework_id = executor->framework_id,
			.pid = executor->pid,
			.start = executor->start,
			.fd = link ? link->fd : -1,
			.cookie = link ? link->cookie : 0,
			.inode = link ? link->inode : 0,
			.verdict = executor->verdict,
			.recovery_timeout = executor->recovery_timeout,
		},
	};
	struct reason refused = refused_executor(executor), none = { 0 };

	if (link) {
		p.local = link->local;
		p.remote = link->remote;
		p.netns = link->netns;
		p.lifetime = link->keepalive.lifetime;
		p.renewed = link->keepalive.renewed == EW_YES;
	}
	if (!link && executor->verdict == VERDICT_SELF_HEALING) {
		refused = none;
		none = (struct reason){ "not-tracked", "its connections go over a domain socket" };
	}
	if (!refused.id && link)
		refused = refused_link(link);
	if (!refused.id && link) {
		none = needless(link, idle);
		refused = none.id ? refused : refused_time(link, idle);
	}
	p.target.forbidden = refused.text;
	p.needless = none.text;
	p.reason_id = refused.id ? refused.id : none.id;
	return p;
}

/* Those that may be acted on first, then by executor. */
static int protection_order(const void *a, const void *b)
{
	const struct model_protection *x = a, *y = b;

	if (!x->reason_id != !y->reason_id)
		return x->reason_id ? 1 : -1;
	if (x->target.pid != y->target.pid)
		return x->target.pid < y->target.pid ? -1 : 1;
	return x->target.fd - y->target.fd;
}

int model_protections(const struct report *audit, const struct model_choice *choice, uint32_t idle,
		      struct model_protection **ret, size_t *n)
{
	struct model_protection *links;
	size_t room = 1, count = 0;

	for (size_t i = 0; i < audit->n_executors; i++)
		room += 1 + audit->executors[i].n_links;
	links = calloc(room, sizeof(*links));
	if (!links)
		return -ENOMEM;
	for (size_t i = 0; i < audit->n_executors; i++) {
		const struct report_executor *executor = &audit->executors[i];

		if (!is_wanted(executor, choice))
			continue;
		for (size_t j = 0; j < executor->n_links; j++)
			links[count++] = protection_of(executor, &executor->links[j], idle);
		if (!executor->n_links)
			links[count++] = protection_of(executor, NULL, idle);
	}
	qsort(links, count, sizeof(*links), protection_order);
	*ret = links;
	*n = count;
	return 0;
}

static const char *change(const struct model_protection *link, const struct model_protection *later,
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct model_protection *now = &later[i];

		if (now->target.pid == link->target.pid &&
		    now->target.start == link->target.start && now->target.fd == link->target.fd &&
		    now->target.cookie == link->target.cookie)
			return now->target.forbidden ? now->target.forbidden : now->needless;
	}
	return "it has ended, or its link is another one now";
}

void model_protections_check(const struct report *planned, const struct report *now,
			     struct model_protection *links, size_t n,
			     const struct model_protection *later, size_t n_later)
{
	const char *agent = model_agent_change(planned, now);

	for (size_t i = 0; i < n; i++)
		if (!links[i].reason_id)
			links[i].target.changed = agent ? agent : change(&links[i], later, n_later);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/link_firewall.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"
#include "firewall/cure.h"
#include "firewall/eval.h"
#include "firewall/ruleset.h"
#include "observe/netlink/firewall.h"

/* Rules looked at for links one by one, in all: half a second. */
#define WORK_MAX 20000000

#define RULE_MAX (4 * FIREWALL_NAME_MAX + FIREWALL_TEXT_MAX)

/* What the rules do with one packet, or with each packet of a group. */
struct judgement {
	struct firewall_result result;
	char rule[RULE_MAX];
	char cure[FIREWALL_CURE_MAX];
	char not_judged[512];
};

/* Links between the same addresses, to the same port of the agent. */
struct group {
	bool known;
	struct ew_addr agent;
	struct ew_addr executor; /* its port differs from link to link */
	struct judgement all;	 /* of the packet whose destination port is not known */
};

struct job {
	const struct ruleset *rules;
	unsigned int ct; /* mask of enum firewall_ct */
	size_t work;	 /* done so far, in rules */
	struct group group;
	struct judgement one;
};

static void rule_text(const struct firewall_rule *rule, char *buf)
{
	if (!*rule->family)
		*buf = '\0';
	else if (rule->handle)
		snprintf(buf, RULE_MAX, "%s %s %s handle %lld: %s", rule->family, rule->table,
			 rule->chain, (long long)rule->handle, rule->text);
	else
		snprintf(buf, RULE_MAX, "%s %s %s: %s", rule->family, rule->table, rule->chain,
			 *rule->text ? rule->text : "its policy");
}

static void not_judged_text(const struct ruleset *rules, char *buf, size_t size)
{
	unsigned int unread = ruleset_unread(rules);

	if (unread & (RULESET_UNREAD_LEGACY4 | RULESET_UNREAD_LEGACY6))
		snprintf(buf, size, "there are rules of iptables-legacy, which are not judged");
	else if (unread)
		snprintf(buf, size, "nft does not show all of the rules");
	else
		snprintf(buf, size, "the rules can be judged in part only");
}

static void judge(const struct job *job, const struct firewall_packet *packet,
		  struct judgement *out)
{
	const struct firewall_result *result = &out->result;
	bool exempt;

	firewall_evaluate(job->rules, packet, &out->result);
	exempt = result->decision == FIREWALL_ACCEPTED && result->untracked == EW_YES;
	rule_text(exempt && *result->notrack.family ? &result->notrack : &result->by, out->rule);
	firewall_cure(job->rules, packet, out->cure, sizeof(out->cure));
	out->not_judged[0] = '\0';
	if (result->decision == FIREWALL_MAYBE)
		not_judged_text(job->rules, out->not_judged, sizeof(out->not_judged));
}

static bool group_has(const struct group *group, const struct fact_socket *link)
{
	return group->known && addr_equal(&group->agent, &link->remote) &&
	       addr_ip_equal(&group->executor, &link->local);
}

/* What holds whatever the executor's port is holds for each link of the group. */
static const struct judgement *judgement_of(struct job *job, const struct fact_socket *link)
{
	struct firewall_packet packet = firewall_fin(&link->remote, &link->local, job->ct);
	struct group *group = &job->group;

	if (!group_has(group, link)) {
		struct firewall_packet any = packet;

		any.known &= ~(unsigned int)FIREWALL_KNOWS_DPORT;
		judge(job, &any, &group->all);
		group->known = true;
		group->agent = link->remote;
		group->executor = link->local;
	}
	if (group->all.result.decision != FIREWALL_MAYBE || job->work > WORK_MAX)
		return &group->all;
	job->work += ruleset_rules(job->rules) + 1;
	judge(job, &packet, &job->one);
	return &job->one;
}

static void emit(uint64_t netns, const struct fact_socket *link, const struct judgement *judgement,
		 const struct fact_sink *sink)
{
	static const enum ew_tri accepted[] = { [FIREWALL_MAYBE] = EW_UNKNOWN,
						[FIREWALL_ACCEPTED] = EW_YES,
						[FIREWALL_DROPPED] = EW_NO };
	struct fact fact = { .type = FACT_FIREWALL, .mono = now_mono() };

	fact.firewall.cookie = link->cookie;
	fact.firewall.netns = netns;
	fact.firewall.accepted = accepted[judgement->result.decision];
	fact.firewall.untracked = judgement->result.untracked;
	fact.firewall.rule = judgement->rule;
	fact.firewall.cure = judgement->cure;
	fact.firewall.not_judged = judgement->not_judged;
	fact_emit(sink, &fact);
}

void link_firewall_emit(int nsfd, uint64_t netns, bool tracked, int64_t until,
			const struct fact_socket *const *links, size_t n,
			const struct fact_sink *sink)
{
	struct job job = { .ct = tracked ? FIREWALL_CT_INVALID : FIREWALL_CT_UNTRACKED };
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	if (firewall_read(nsfd, until, &rules, &error) < 0)
		snprintf(job.one.not_judged, sizeof(job.one.not_judged), "%s", error.message);
	job.rules = rules;
	for (size_t i = 0; i < n; i++)
		emit(netns, links[i], rules ? judgement_of(&job, links[i]) : &job.one, sink);
	ruleset_free(rules);
}

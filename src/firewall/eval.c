/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/eval.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "firewall/eval_private.h"
#include "firewall/match.h"
#include "firewall/ruleset_private.h"
#include "firewall/text.h"
#include "firewall/value.h"
#include "firewall/walk.h"

#define STEPS_MAX      1000000
#define PRIO_CONNTRACK (-200) /* NF_IP_PRI_CONNTRACK, linux/netfilter_ipv4.h */

/* One hook of the packet's way. */
struct place {
	const char *hook;
	enum sight_dev iif, oif;
	bool conntrack; /* conntrack looks the packet up here, at PRIO_CONNTRACK */
	bool device;	/* ingress and egress: chains belong to devices */
};

static const struct place places[] = {
	{ "output", SIGHT_DEV_NONE, SIGHT_DEV_OWN, true, false },
	{ "postrouting", SIGHT_DEV_NONE, SIGHT_DEV_OWN, false, false },
	{ "egress", SIGHT_DEV_UNKNOWN, SIGHT_DEV_UNKNOWN, false, true },
	{ "ingress", SIGHT_DEV_OWN, SIGHT_DEV_NONE, false, true },
	{ "prerouting", SIGHT_DEV_OWN, SIGHT_DEV_NONE, true, false },
	{ "input", SIGHT_DEV_OWN, SIGHT_DEV_NONE, false, false },
};

struct firewall_packet firewall_fin(const struct ew_addr *from, const struct ew_addr *to,
				    unsigned int ct)
{
	return (struct firewall_packet){
		.family = addr_is_v4(from) ? FIREWALL_IPV4 : FIREWALL_IPV6,
		.known = FIREWALL_KNOWS_ALL,
		.from = *from,
		.to = *to,
		.tcp_flags = 1 | 16,
		.tcp_flags_known = 1 | 2 | 4 | 16 | 32,
		.ct = ct,
	};
}

const char *firewall_decision_name(enum firewall_decision decision)
{
	switch (decision) {
	case FIREWALL_ACCEPTED:
		return "ACCEPTED";
	case FIREWALL_DROPPED:
		return "DROPPED";
	case FIREWALL_MAYBE:
		break;
	}
	return "MAYBE";
}

static bool family_meets(const struct ruleset_chain *chain, const struct firewall_packet *packet)
{
	const char *family = chain->name.family;

	if (strcmp(family, "ip") == 0)
		return packet->family != FIREWALL_IPV6;
	if (strcmp(family, "ip6") == 0)
		return packet->family != FIREWALL_IPV4;
	return true; /* inet; netdev chains have hooks of their own */
}

static bool dev_named(const json_t *dev)
{
	const json_t *name;
	size_t at;

	if (!json_is_array(dev))
		return json_is_string(dev) && strcmp(json_string_value(dev), "lo") == 0;
	json_array_foreach(dev, at,
			   name) if (json_is_string(name) &&
				     strcmp(json_string_value(name), "lo") == 0) return true;
	return false;
}

/* Does the packet pass this base chain? */
static enum ew_tri chain_met(const struct ruleset_chain *chain, const struct place *place,
			     const struct firewall_packet *packet)
{
	bool sure;

	if (!chain->hook || strcmp(chain->hook, place->hook) != 0 ||
	    strcmp(chain->type, "nat") == 0 || !family_meets(chain, packet))
		return EW_NO;
	sure = !chain->dormant && (packet->family != FIREWALL_FAMILY_UNKNOWN ||
				   strcmp(chain->name.family, "inet") == 0);
	if (place->device) {
		if (!(packet->known & FIREWALL_KNOWS_LOOPBACK) || !chain->dev)
			return EW_UNKNOWN;
		if (!dev_named(chain->dev))
			return EW_NO;
	}
	return sure ? EW_YES : EW_UNKNOWN;
}

static int prio_order(const void *a, const void *b)
{
	const struct ruleset_chain *x = *(const struct ruleset_chain *const *)a;
	const struct ruleset_chain *y = *(const struct ruleset_chain *const *)b;

	if (x->prio != y->prio)
		return x->prio < y->prio ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* conntrack looks up a packet that has no connection yet and is not exempted. */
static unsigned int tracked(unsigned int ct, unsigned int found)
{
	return ct & FIREWALL_CT_INVALID ? (ct & ~(unsigned int)FIREWALL_CT_INVALID) | found : ct;
}

/* rank: of what accepts, how much it says. */
enum rank { RANK_POLICY = 1, RANK_RULE, RANK_RULE_NEEDED };

struct evaluation {
	const struct ruleset *rules;
	const struct firewall_packet *packet;
	const struct place *place;
	struct walk_state state;
	size_t steps;
	unsigned int found; /* states that conntrack may find */
	bool may_drop, dropped;
	struct firewall_result *result;
	enum rank accepted_by;
	const struct ruleset_chain *const *skip;
	size_t n_skip;
	const struct ruleset_chain *culprit;
};

static void rule_fill(struct firewall_rule *rule, const struct evaluation *evaluation,
		      const struct ruleset_chain *base, const struct walk_site *site)
{
	memset(rule, 0, sizeof(*rule));
	snprintf(rule->family, sizeof(rule->family), "%s", base->name.family);
	snprintf(rule->table, sizeof(rule->table), "%s", base->name.table);
	snprintf(rule->base, sizeof(rule->base), "%s", base->name.name);
	snprintf(rule->chain, sizeof(rule->chain), "%s",
		 site->rule ? site->rule->chain.name : base->name.name);
	snprintf(rule->hook, sizeof(rule->hook), "%s", evaluation->place->hook);
	rule->handle = site->rule ? site->rule->handle : 0;
	if (site->rule)
		firewall_rule_text(site->rule->expr, rule->text, sizeof(rule->text));
	else
		snprintf(rule->text, sizeof(rule->text), "policy %s", base->policy);
}

static void note_accept(struct evaluation *evaluation, const struct ruleset_chain *base,
			const struct walk_site *site)
{
	enum rank rank = RANK_POLICY;

	if (site->rule)
		rank = strcmp(base->policy, "accept") == 0 ? RANK_RULE : RANK_RULE_NEEDED;
	if (evaluation->may_drop || rank < evaluation->accepted_by)
		return;
	evaluation->accepted_by = rank;
	rule_fill(&evaluation->result->by, evaluation, base, site);
}

static struct walk chain_begin(struct evaluation *evaluation, const struct ruleset_chain *base,
			       bool ordered)
{
	const struct place *place = evaluation->place;

	return (struct walk){
		.sight = { .rules = evaluation->rules,
			   .packet = evaluation->packet,
			   .ct = evaluation->state.ct,
			   .rewritten = evaluation->state.rewritten,
			   .iif = evaluation->state.rerouted ? SIGHT_DEV_UNKNOWN : place->iif,
			   .oif = evaluation->state.rerouted ? SIGHT_DEV_UNKNOWN : place->oif,
			   .steps = &evaluation->steps },
		.base = base,
		.state = &evaluation->state,
		.certain = true,
		.unordered = !ordered,
	};
}

static void notrack_note(struct evaluation *evaluation, const struct walk *walk)
{
	if (walk->notrack.rule && !evaluation->result->notrack.family[0])
		rule_fill(&evaluation->result->notrack, evaluation, walk->base, &walk->notrack);
}

/* The chain's part in the decision. */
static void chain_decide(struct evaluation *evaluation, const struct ruleset_chain *base,
			 bool ordered, enum ew_tri met)
{
	struct walk walk = chain_begin(evaluation, base, ordered && met == EW_YES);
	unsigned int ends = walk_base(&walk);

	if (met != EW_YES)
		ends |= WALK_ACCEPT;
	notrack_note(evaluation, &walk);
	if (!(ends & WALK_DROP)) {
		note_accept(evaluation, base, &walk.accept);
		return;
	}
	if (!evaluation->may_drop || ends == WALK_DROP) {
		rule_fill(&evaluation->result->by, evaluation, base, &walk.drop);
		evaluation->culprit = base;
	}
	evaluation->may_drop = true;
	evaluation->dropped = ends == WALK_DROP;
}

/* What the chains may do to the packet, whatever their order. */
static void chains_blur(struct evaluation *evaluation, const struct ruleset_chain **chains,
			size_t n)
{
	for (size_t pass = 0; pass < n; pass++)
		for (size_t i = 0; i < n; i++) {
			struct walk walk = chain_begin(evaluation, chains[i], false);

			walk_base(&walk);
			notrack_note(evaluation, &walk);
		}
}

/* Chains of one hook and priority: the kernel's order among them is not known. */
static void chains_run(struct evaluation *evaluation, const struct ruleset_chain **chains, size_t n)
{
	bool ordered = n == 1;

	if (chains[0]->prio == PRIO_CONNTRACK && evaluation->place->conntrack) {
		evaluation->state.ct |= tracked(evaluation->state.ct, evaluation->found);
		ordered = false;
	}
	if (!ordered)
		chains_blur(evaluation, chains, n);
	for (size_t i = 0; i < n && !evaluation->dropped; i++)
		chain_decide(evaluation, chains[i], ordered,
			     chain_met(chains[i], evaluation->place, evaluation->packet));
}

static bool skipped(const struct evaluation *evaluation, const struct ruleset_chain *chain)
{
	for (size_t i = 0; i < evaluation->n_skip; i++)
		if (evaluation->skip[i] == chain)
			return true;
	return false;
}

static size_t chains_met(const struct evaluation *evaluation, const struct ruleset_chain **met)
{
	size_t n = 0;

	for (size_t i = 0; i < evaluation->rules->n_chains; i++) {
		const struct ruleset_chain *chain = &evaluation->rules->chains[i];

		if (chain_met(chain, evaluation->place, evaluation->packet) != EW_NO &&
		    !skipped(evaluation, chain))
			met[n++] = chain;
	}
	qsort(met, n, sizeof(*met), prio_order);
	return n;
}

static void conntrack_run(struct evaluation *evaluation)
{
	evaluation->state.ct = tracked(evaluation->state.ct, evaluation->found);
}

static void place_run(struct evaluation *evaluation, const struct ruleset_chain **chains)
{
	size_t n = chains_met(evaluation, chains), run;
	bool looked_up = !evaluation->place->conntrack;
	unsigned int before = evaluation->state.ct;

	if (evaluation->place->device)
		evaluation->state.ct = FIREWALL_CT_ANY;
	for (size_t i = 0; i < n && !evaluation->dropped; i += run) {
		for (run = 1; i + run < n && chains[i + run]->prio == chains[i]->prio; run++)
			continue;
		if (!looked_up && chains[i]->prio > PRIO_CONNTRACK) {
			conntrack_run(evaluation);
			looked_up = true;
		}
		chains_run(evaluation, chains + i, run);
	}
	if (!looked_up)
		conntrack_run(evaluation);
	if (evaluation->place->device)
		evaluation->state.ct = before; /* only families of IP have notrack and zones */
}

static enum ew_tri untracked(unsigned int ct)
{
	if (ct == FIREWALL_CT_UNTRACKED)
		return EW_YES;
	return ct & FIREWALL_CT_UNTRACKED ? EW_UNKNOWN : EW_NO;
}

static bool unread_concerns(const struct ruleset *rules, const struct firewall_packet *packet)
{
	unsigned int other = 0;

	if (packet->family == FIREWALL_IPV4)
		other = RULESET_UNREAD_LEGACY6;
	else if (packet->family == FIREWALL_IPV6)
		other = RULESET_UNREAD_LEGACY4;
	return rules->unread & ~other;
}

static enum firewall_decision decision(const struct evaluation *evaluation)
{
	const struct walk_state *state = &evaluation->state;

	if (evaluation->dropped)
		return FIREWALL_DROPPED;
	if (evaluation->may_drop || state->rewritten || state->rerouted ||
	    unread_concerns(evaluation->rules, evaluation->packet))
		return FIREWALL_MAYBE;
	return FIREWALL_ACCEPTED;
}

static int places_run(struct evaluation *evaluation)
{
	const struct ruleset_chain **chains =
		calloc(evaluation->rules->n_chains + 1, sizeof(*chains));

	if (!chains)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !evaluation->dropped; i++) {
		evaluation->place = &places[i];
		place_run(evaluation, chains);
	}
	free(chains);
	return evaluation->steps ? 0 : -E2BIG;
}

const struct ruleset_chain *evaluate_without(const struct ruleset *rules,
					     const struct firewall_packet *packet,
					     const struct ruleset_chain *const *skip, size_t n_skip,
					     struct firewall_result *result)
{
	unsigned int ct = packet->ct & FIREWALL_CT_ANY;
	struct evaluation evaluation = {
		.rules = rules,
		.packet = packet,
		.state = { .ct = FIREWALL_CT_INVALID }, /* it leaves its socket without a connection
							 */
		.steps = STEPS_MAX,
		.found = ct ? ct : FIREWALL_CT_ANY,
		.result = result,
		.skip = skip,
		.n_skip = n_skip,
	};

	memset(result, 0, sizeof(*result));
	if (places_run(&evaluation) < 0) {
		memset(result, 0, sizeof(*result));
		return NULL;
	}
	result->decision = decision(&evaluation);
	if (result->decision == FIREWALL_MAYBE && !evaluation.may_drop)
		memset(&result->by, 0, sizeof(result->by));
	if (!evaluation.dropped && !unread_concerns(rules, packet))
		result->untracked = untracked(evaluation.state.ct);
	return evaluation.culprit;
}

void firewall_evaluate(const struct ruleset *rules, const struct firewall_packet *packet,
		       struct firewall_result *result)
{
	evaluate_without(rules, packet, NULL, 0, result);
}

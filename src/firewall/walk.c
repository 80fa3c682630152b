/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/walk.h"

#include <string.h>

#include "firewall/eval.h"
#include "firewall/ruleset_private.h"
#include "firewall/value.h"

#define DEPTH_MAX 16 /* NFT_JUMP_STACK_SIZE, net/netfilter/nf_tables.h */

/* A rule while its statements are run. */
struct run {
	struct walk *walk;
	const struct ruleset_rule *rule;
	enum ew_tri reached; /* the statement at hand is run: YES or UNKNOWN */
	unsigned int ends;   /* how the rule may end, so far */
};

static unsigned int chain_walk(struct walk *walk, const struct ruleset_chain *chain);

static void site_note(struct walk_site *site, const struct ruleset_rule *rule, bool certain)
{
	if (site->seen && (site->certain || !certain))
		return;
	*site = (struct walk_site){ .rule = rule, .seen = true, .certain = certain };
}

static bool run_certain(const struct run *run)
{
	return run->walk->certain && run->reached == EW_YES;
}

/* The statements that follow may not be run: the rule may end here without a verdict. */
static void may_end(struct run *run)
{
	run->reached = EW_UNKNOWN;
	run->ends |= WALK_NEXT;
}

/* A statement that is certainly run sets the states; else they are those before or these. */
static void ct_change(struct run *run, unsigned int ct)
{
	struct walk *walk = run->walk;
	bool certain = run_certain(run) && !walk->unordered;

	walk->state->ct = certain ? ct : walk->state->ct | ct;
	walk->sight.ct = walk->state->ct;
}

/* nft_notrack_eval(): a packet that has a connection already keeps it. */
static void notrack(struct run *run)
{
	unsigned int ct = run->walk->state->ct;

	if (!(ct & FIREWALL_CT_INVALID))
		return;
	site_note(&run->walk->notrack, run->rule, run_certain(run));
	ct_change(run, (ct & ~(unsigned int)FIREWALL_CT_INVALID) | FIREWALL_CT_UNTRACKED);
}

static void rewrite(struct run *run)
{
	run->walk->state->rewritten = true;
	run->walk->sight.rewritten = true;
}

/* A chain of type route looks up the route anew after a change of mark, address or TOS. */
static void reroute(struct run *run)
{
	if (strcmp(run->walk->base->type, "route") != 0)
		return;
	run->walk->state->rerouted = true;
	run->walk->sight.iif = SIGHT_DEV_UNKNOWN;
	run->walk->sight.oif = SIGHT_DEV_UNKNOWN;
}

/* A statement of which nothing is known: it may end the chain, and change the packet. */
static void anything(struct run *run)
{
	ct_change(run, FIREWALL_CT_ANY);
	rewrite(run);
	reroute(run);
	site_note(&run->walk->accept, run->rule, false);
	site_note(&run->walk->drop, run->rule, false);
	run->ends |= WALK_ANY;
	may_end(run);
}

/* A value that is written; reading it may end the rule, unless it is a constant or a mark. */
static bool value_reads(const json_t *value)
{
	return json_is_object(value) && !json_object_get(value, "meta");
}

static void mangle(struct run *run, const json_t *body)
{
	const json_t *key = json_object_get(body, "key");
	const json_t *ct = json_object_get(key, "ct");

	if (value_reads(json_object_get(body, "value")))
		may_end(run);
	if (ct) {
		if (strcmp(ruleset_string(ct, "key"), "zone") == 0)
			ct_change(run, FIREWALL_CT_ANY); /* other entries count there */
	} else if (json_object_get(key, "meta")) {
		reroute(run);
	} else {
		rewrite(run);
		reroute(run);
	}
}

static void end_with(struct run *run, unsigned int end)
{
	bool certain = run_certain(run);

	if (end & WALK_ACCEPT)
		site_note(&run->walk->accept, run->rule, certain);
	if (end & WALK_DROP)
		site_note(&run->walk->drop, run->rule, certain);
	run->ends |= end;
}

/* at_end: what a return from the other chain means. goto never comes back here. */
static void enter(struct run *run, const char *target, unsigned int at_end)
{
	struct ruleset_name name = run->rule->chain;
	struct walk *walk = run->walk;
	const struct ruleset_chain *chain;
	bool certain = walk->certain;
	unsigned int ends;

	name.name = target;
	chain = ruleset_chain(walk->sight.rules, &name);
	if (!chain || walk->depth >= DEPTH_MAX || !sight_step(&walk->sight)) {
		anything(run);
		return;
	}
	walk->certain = run_certain(run);
	walk->depth++;
	ends = chain_walk(walk, chain);
	walk->depth--;
	walk->certain = certain;
	run->ends |= ends & (WALK_ACCEPT | WALK_DROP);
	if (ends & WALK_RETURN)
		run->ends |= at_end;
}

/* Returns false when it is no verdict. "continue" goes on with the next statement. */
static bool verdict(struct run *run, const json_t *statement, bool *goes_on)
{
	const json_t *body;

	*goes_on = false;
	if (json_object_get(statement, "accept"))
		end_with(run, WALK_ACCEPT);
	else if (json_object_get(statement, "drop") || json_object_get(statement, "reject"))
		end_with(run, WALK_DROP);
	else if (json_object_get(statement, "return"))
		end_with(run, WALK_RETURN);
	else if ((body = json_object_get(statement, "jump")))
		enter(run, ruleset_string(body, "target"), WALK_NEXT);
	else if ((body = json_object_get(statement, "goto")))
		enter(run, ruleset_string(body, "target"), WALK_RETURN);
	else if (json_object_get(statement, "continue"))
		*goes_on = true;
	else
		return false;
	return true;
}

struct choice {
	struct run *run;
	bool goes_on;
};

/* One of the verdicts of a map. */
static void choice_take(const json_t *statement, enum ew_tri meant, void *ctx)
{
	struct choice *choice = ctx;
	struct run *run = choice->run;
	enum ew_tri reached = run->reached;
	bool goes_on = false;

	run->reached = tri_and(reached, meant);
	if (!verdict(run, statement, &goes_on)) {
		anything(run);
		goes_on = true;
	}
	run->reached = reached;
	choice->goes_on |= goes_on;
}

/* Returns whether the rule may go on with its next statement. */
static bool vmap(struct run *run, const json_t *body)
{
	struct choice choice = { .run = run };
	enum ew_tri none =
		match_vmap(&run->walk->sight, &run->rule->chain, body, choice_take, &choice);

	if (none != EW_NO)
		may_end(run);
	else if (run->ends)
		run->reached = EW_UNKNOWN;
	return choice.goes_on;
}

static bool named(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Rules of iptables-nft: nft's JSON tells the name of a match or target, and nothing else. */
static bool xtables(struct run *run, const json_t *body)
{
	static const char *const passive[] = { "LOG", "NFLOG", "TRACE", "CLASSIFY", "AUDIT" };
	static const char *const marking[] = { "MARK", "CONNMARK" };
	const char *type = ruleset_string(body, "type");
	const char *name = ruleset_string(body, "name");

	if (strcmp(type, "match") == 0) {
		if (strcmp(name, "comment") != 0)
			may_end(run);
	} else if (strcmp(type, "target") != 0) {
		anything(run);
	} else if (strcmp(name, "REJECT") == 0) {
		end_with(run, WALK_DROP);
		return false;
	} else if (strcmp(name, "CT") == 0) { /* notrack, or a zone, or a helper */
		site_note(&run->walk->notrack, run->rule, false);
		ct_change(run, FIREWALL_CT_ANY);
	} else if (named(name, marking, sizeof(marking) / sizeof(*marking))) {
		reroute(run);
	} else if (!named(name, passive, sizeof(passive) / sizeof(*passive))) {
		anything(run);
	}
	return true;
}

static bool match(struct run *run, const json_t *body)
{
	enum ew_tri matches = match_test(&run->walk->sight, &run->rule->chain, body);

	if (matches == EW_UNKNOWN)
		may_end(run);
	if (matches == EW_NO)
		run->ends |= WALK_NEXT;
	return matches != EW_NO;
}

/* Runs one statement. Returns whether the rule may go on with the next. */
static bool statement_run(struct run *run, const char *kind, const json_t *statement)
{
	static const char *const passive[] = { "counter",   "log",	  "comment",	   "last",
					       "ct helper", "ct timeout", "ct expectation" };
	/* Each may end the rule without a verdict (NFT_BREAK). */
	static const char *const conditions[] = { "limit", "quota", "ct count", "set",
						  "map",   "meter", "flow",	"dup" };
	const json_t *body = json_object_get(statement, kind);
	bool goes_on;

	if (verdict(run, statement, &goes_on))
		return goes_on;
	if (strcmp(kind, "vmap") == 0)
		return vmap(run, body);
	if (strcmp(kind, "xt") == 0)
		return xtables(run, body);
	if (strcmp(kind, "match") == 0)
		return match(run, body);
	if (strcmp(kind, "notrack") == 0)
		notrack(run);
	else if (strcmp(kind, "mangle") == 0)
		mangle(run, body);
	else if (named(kind, conditions, sizeof(conditions) / sizeof(*conditions)))
		may_end(run);
	else if (!named(kind, passive, sizeof(passive) / sizeof(*passive)))
		anything(run); /* queue, synproxy, tproxy, fwd, … */
	return true;
}

/* Returns how the rule may end: never 0. */
static unsigned int rule_run(struct walk *walk, const struct ruleset_rule *rule)
{
	struct run run = { .walk = walk, .rule = rule, .reached = EW_YES };
	const json_t *statement;
	size_t at;

	if (!sight_step(&walk->sight) || !rule->expr) {
		anything(&run);
		return run.ends;
	}
	json_array_foreach(rule->expr, at, statement)
	{
		const char *kind = json_object_iter_key(json_object_iter((json_t *)statement));

		if (!kind || json_object_size(statement) != 1)
			anything(&run);
		else if (!statement_run(&run, kind, statement))
			return run.ends;
	}
	return run.ends | WALK_NEXT;
}

static unsigned int chain_walk(struct walk *walk, const struct ruleset_chain *chain)
{
	bool certain = walk->certain;
	unsigned int ends = 0;

	for (size_t i = 0; i < chain->n_rules; i++) {
		unsigned int rule = rule_run(walk, &chain->rules[i]);

		ends |= rule & ~(unsigned int)WALK_NEXT;
		if (!(rule & WALK_NEXT)) {
			walk->certain = certain;
			return ends;
		}
		if (rule != WALK_NEXT)
			walk->certain = false;
	}
	walk->certain = certain;
	return ends | WALK_RETURN;
}

unsigned int walk_base(struct walk *walk)
{
	unsigned int ends = chain_walk(walk, walk->base);
	bool certain = walk->certain && ends == WALK_RETURN;
	const char *policy = walk->base->policy;

	if (!(ends & WALK_RETURN))
		return ends;
	ends &= WALK_ACCEPT | WALK_DROP;
	if (strcmp(policy, "drop") != 0) {
		site_note(&walk->accept, NULL, certain);
		ends |= WALK_ACCEPT;
	}
	if (strcmp(policy, "accept") != 0) {
		site_note(&walk->drop, NULL, certain);
		ends |= WALK_DROP;
	}
	return ends;
}

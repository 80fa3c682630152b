/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Will the agent's FIN arrive: what facts of connection tracking and the firewall make of a link.
 */
#include "node_audit.h"

static void entry_emit(struct node *n, const struct node_proc *p, struct fact_ct_entry entry)
{
	entry.cookie = p->links[0]->cookie;
	entry.netns = p->links[0]->netns;
	node_emit(n, (struct fact){ .type = FACT_CT_ENTRY, .ct_entry = entry });
}

static void firewall_emit(struct node *n, const struct node_proc *p, struct fact_firewall firewall)
{
	firewall.cookie = p->links[0]->cookie;
	firewall.netns = p->links[0]->netns;
	node_emit(n, (struct fact){ .type = FACT_FIREWALL, .firewall = firewall });
}

static void wait_and_judge(struct node *n, double seconds)
{
	node_wait(n, seconds);
	node_emit(n, (struct fact){ .type = FACT_NOW });
}

/* The recovery timeout is 900 s. */
static void an_entry_counts_until_it_expires(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	entry_emit(n, p,
		   (struct fact_ct_entry){ .present = EW_YES, .timeout = 1000 * NODE_SECOND });
	check(n, "web", "healthy");
	wait_and_judge(n, 99);
	check(n, "web", "healthy");
	wait_and_judge(n, 2);
	check(n, "web", "at-risk");
	why_has(n, "web", "expires in 14 min: the agent's FIN may then be dropped");
	entry_emit(n, p, (struct fact_ct_entry){ .present = EW_YES, .timeout = -1 });
	check(n, "web", "unknown");
	node_free(n);
}

/* ---- an agent that listens no more ---- */

/* It lives, and holds its ends. */
static void an_end_of_an_agent_that_listens_no_more_is_unknown(void **state)
{
	one(n);
	struct fact_process agent;

	(void)state;
	node_snapshot(n);
	check(n, "web", "healthy");
	agent = (struct fact_process){ .pid = n->agent,
				       .start = node_start_of(n, n->agent),
				       .comm = n->agent_comm };
	node_emit(n, (struct fact){ .type = FACT_PROCESS, .process = agent });
	node_state(n, n->listen, TCP_CLOSE, n->agent);
	wait_and_judge(n, 1);
	check(n, "web", "unknown");
	why_has(n, "web", "held by an agent's process that lives and listens no more");
	node_free(n);
}

/* A child that has inherited the agent's end: the executor is not told that the agent is gone. */
static void an_end_of_an_agents_child_is_half_open(void **state)
{
	one(n);
	struct node_proc *child =
		node_process_(n, "child", (struct node_spec){ .comm = "mesos-agent" });
	struct node_sock *end = p->links[0]->peer;

	(void)state;
	node_snapshot(n);
	end->holds[end->n_holds++] = (struct node_hold){ child->pid, 9 };
	node_agent_stop(n);
	end->holds[0] = end->holds[1];
	end->n_holds = 1;
	node_snapshot(n);
	check(n, "web", "half-open");
	node_free(n);
}

/* ---- a port that the agent advertises and does not listen on ---- */

#define ADVERTISED "slave(1)@10.0.0.7:5052"

static void port_emit(struct node *n, uint32_t port)
{
	node_emit(n,
		  (struct fact){ .type = FACT_PORT, .port = { .port = port, .source = "flags" } });
}

/* The executor's end has the advertised port, the agent's the one that it listens on. */
static void link_translate(struct node_proc *p)
{
	p->links[0]->remote.port = 5052;
}

static void translated_entry_emit(struct node *n, const struct node_proc *p)
{
	entry_emit(n, p,
		   (struct fact_ct_entry){ .present = EW_YES,
					   .timeout = 432000 * NODE_SECOND,
					   .translated = true,
					   .reply_local = p->links[0]->peer->local,
					   .reply_remote = p->links[0]->peer->remote });
}

static void a_link_to_an_advertised_port_counts(void **state)
{
	one(n, .slave_pid = ADVERTISED);

	(void)state;
	link_translate(p);
	port_emit(n, 5052);
	node_snapshot(n);
	translated_entry_emit(n, p);
	check(n, "web", "healthy");
	node_free(n);
}

/* Nobody but the executor's environment names the port: connections to it are nobody's links. */
static void a_port_that_only_its_environment_names_is_unknown(void **state)
{
	one(n, .slave_pid = ADVERTISED);

	(void)state;
	link_translate(p);
	node_snapshot(n);
	translated_entry_emit(n, p);
	check(n, "web", "unknown");
	why_has(n, "web", "neither the agent nor its slave.info names that port");
	node_free(n);
}

static void a_forgotten_translation_is_at_risk(void **state)
{
	one(n, .slave_pid = ADVERTISED, .entry = EW_NO);

	(void)state;
	link_translate(p);
	port_emit(n, 5052);
	node_snapshot(n);
	entry_emit(n, p, (struct fact_ct_entry){ .present = EW_NO, .timeout = -1 });
	check(n, "web", "at-risk");
	node_free(n);
}

/* Another connection from the same address and port, to the listener itself, has that end. */
static void the_end_of_another_connection_is_not_its_own(void **state)
{
	one(n, .slave_pid = ADVERTISED, .entry = EW_NO);
	struct node_sock *other;

	(void)state;
	other = node_connect(n, p->pid, p->spec.netns, n->agent, n->agent_ns, "10.0.0.7:5051");
	link_translate(p);
	p->links[0]->peer->state = TCP_CLOSE;
	p->links[0]->peer->n_holds = 0;
	other->local.port = p->links[0]->local.port;
	other->peer->remote.port = p->links[0]->local.port;
	other->n_holds = 0;
	port_emit(n, 5052);
	node_snapshot(n);
	entry_emit(n, p, (struct fact_ct_entry){ .present = EW_NO, .timeout = -1 });
	check(n, "web", "half-open");
	node_free(n);
}

/* No more than four ports in all: a fifth is no agent's. */
static void ports_are_bounded(void **state)
{
	one(n, .slave_pid = "slave(1)@10.0.0.7:5055");

	(void)state;
	p->links[0]->remote.port = 5055;
	for (uint32_t port = 5052; port <= 5055; port++)
		port_emit(n, port);
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

static void the_firewall_decides_without_an_entry(void **state)
{
	one(n, .entry = EW_NO);

	(void)state;
	node_snapshot(n);
	check(n, "web", "at-risk");
	firewall_emit(n, p, (struct fact_firewall){ .accepted = EW_YES, .rule = "inet fw in: lo" });
	check(n, "web", "healthy");
	why_has(n, "web", "(inet fw in: lo)");
	firewall_emit(
		n, p,
		(struct fact_firewall){ .accepted = EW_NO,
					.rule = "inet fw in handle 4: ct state invalid drop" });
	check(n, "web", "at-risk");
	why_has(n, "web", "drops the agent's FIN (inet fw in handle 4: ct state invalid drop)");
	firewall_emit(n, p, (struct fact_firewall){ .not_judged = "nft is not installed" });
	check(n, "web", "at-risk");
	why_has(n, "web", "may then be dropped (nft is not installed)");
	node_free(n);
}

/* What was judged in an earlier scan is no evidence any more. */
static void an_old_judgement_does_not_count(void **state)
{
	one(n, .entry = EW_NO);

	(void)state;
	node_snapshot(n);
	firewall_emit(n, p, (struct fact_firewall){ .accepted = EW_YES });
	check(n, "web", "healthy");
	node_snapshot(n);
	check(n, "web", "at-risk");
	node_free(n);
}

/* The agent's end has another peer than the executor's end: its entry tells which. */
static void a_translated_link_has_its_other_end(void **state)
{
	struct ew_addr translated = node_addr("10.0.0.7:20001");
	struct node_sock *end;

	one(n, .entry = EW_YES);
	(void)state;
	end = p->links[0]->peer;
	end->remote = translated;
	node_snapshot(n);
	check(n, "web", "half-open");
	entry_emit(n, p,
		   (struct fact_ct_entry){ .present = EW_YES,
					   .timeout = 5000 * NODE_SECOND,
					   .translated = true,
					   .reply_local = end->local,
					   .reply_remote = translated });
	check(n, "web", "healthy");
	/* A FIN without the entry goes to an address that no socket has: no rule helps. */
	entry_emit(n, p,
		   (struct fact_ct_entry){ .present = EW_YES,
					   .timeout = 5 * NODE_SECOND,
					   .translated = true,
					   .reply_local = end->local,
					   .reply_remote = translated });
	firewall_emit(n, p, (struct fact_firewall){ .accepted = EW_YES });
	check(n, "web", "at-risk");
	/* Whether it is translated is not known. */
	entry_emit(n, p, (struct fact_ct_entry){ .present = EW_UNKNOWN });
	check(n, "web", "unknown");
	node_free(n);
}

/* ---- namespaces between the ends ---- */

static void entry_between(struct node *n, const struct node_proc *p, uint64_t netns,
			  enum ew_tri in_force, enum ew_tri present)
{
	node_emit(n, (struct fact){ .type = FACT_CT_ACTIVE,
				    .ct_active = { .netns = netns, .in_force = in_force } });
	node_emit(n, (struct fact){ .type = FACT_CT_ENTRY,
				    .ct_entry = { .cookie = p->links[0]->cookie,
						  .netns = netns,
						  .present = present,
						  .timeout = present == EW_YES ? 5000 * NODE_SECOND
									       : -1 } });
}

static void each_namespace_on_the_way_needs_an_entry(void **state)
{
	one(n, .entry = EW_YES, .netns = 4026532999);

	(void)state;
	node_snapshot(n);
	check(n, "web", "healthy");
	entry_between(n, p, 77, EW_YES, EW_YES);
	check(n, "web", "healthy");
	entry_between(n, p, 78, EW_NO, EW_NO);
	check(n, "web", "healthy");
	entry_between(n, p, 79, EW_YES, EW_NO);
	check(n, "web", "at-risk");
	entry_between(n, p, 79, EW_YES, EW_UNKNOWN);
	check(n, "web", "unknown");
	node_free(n);
}

static void a_way_that_nobody_looked_at_is_unknown_until_it_is(void **state)
{
	one(n, .entry = EW_YES, .netns = 4026532999);

	(void)state;
	node_snapshot(n);
	node_emit(n, (struct fact){ .type = FACT_CT_ENTRY,
				    .ct_entry = { .cookie = p->links[0]->cookie, .timeout = -1 } });
	check(n, "web", "unknown");
	node_snapshot(n);
	check(n, "web", "healthy");
	node_free(n);
}

static size_t findings(struct node *n, uint64_t entries, enum severity *severity)
{
	struct report *report;
	size_t found = 0;

	node_emit(n, (struct fact){ .type = FACT_CT_ACTIVE,
				    .ct_active = { .netns = n->agent_ns,
						   .in_force = EW_YES,
						   .entries = entries,
						   .limit = 1000 } });
	report = node_report(n, REPORT_AUDIT);
	for (size_t i = 0; i < report->n_findings; i++) {
		if (strcmp(report->findings[i].id, "conntrack-full") != 0)
			continue;
		*severity = report->findings[i].severity;
		found++;
	}
	report_free(report);
	return found;
}

static void a_full_table_is_a_finding(void **state)
{
	enum severity severity = SEVERITY_UNKNOWN;

	one(n, .entry = EW_YES);
	(void)state;
	node_snapshot(n);
	assert_int_equal(findings(n, 899, &severity), 0);
	assert_int_equal(findings(n, 900, &severity), 1);
	assert_int_equal(severity, SEVERITY_WARNING);
	assert_int_equal(findings(n, 1000, &severity), 1);
	assert_int_equal(severity, SEVERITY_CRITICAL);
	firewall_emit(n, p, (struct fact_firewall){ .accepted = EW_YES, .untracked = EW_YES });
	assert_int_equal(findings(n, 1000, &severity), 0);
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_counts_until_it_expires),
		cmocka_unit_test(an_end_of_an_agent_that_listens_no_more_is_unknown),
		cmocka_unit_test(an_end_of_an_agents_child_is_half_open),
		cmocka_unit_test(a_link_to_an_advertised_port_counts),
		cmocka_unit_test(a_port_that_only_its_environment_names_is_unknown),
		cmocka_unit_test(a_forgotten_translation_is_at_risk),
		cmocka_unit_test(the_end_of_another_connection_is_not_its_own),
		cmocka_unit_test(ports_are_bounded),
		cmocka_unit_test(the_firewall_decides_without_an_entry),
		cmocka_unit_test(an_old_judgement_does_not_count),
		cmocka_unit_test(a_translated_link_has_its_other_end),
		cmocka_unit_test(each_namespace_on_the_way_needs_an_entry),
		cmocka_unit_test(a_way_that_nobody_looked_at_is_unknown_until_it_is),
		cmocka_unit_test(a_full_table_is_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

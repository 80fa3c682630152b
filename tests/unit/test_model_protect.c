/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which links keepalive may be set on, and when a link counts as protected. */
#include "node.h"

#include "base/keepalive.h"

/* "web act; db refused no-entry; …" */
static const char *protections(struct node *n, struct model_choice choice, uint32_t idle)
{
	static char text[4096];
	struct report *report = node_report(n, REPORT_AUDIT);
	struct model_protection *p;
	size_t count, at = 0;

	assert_int_equal(model_protections(report, &choice, idle, &p, &count), 0);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *what = p[i].target.forbidden ? "refused"
				   : p[i].needless	 ? "keep"
							 : "act";

		assert_true((p[i].reason_id != NULL) == (strcmp(what, "act") != 0));
		assert_false(p[i].target.forbidden && p[i].needless);
		if (!p[i].reason_id)
			assert_true(p[i].target.fd >= 0 && p[i].target.inode &&
				    p[i].target.cookie && p[i].target.start && p[i].netns);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s%s%s", i ? "; " : "",
				       p[i].target.executor_id, what, p[i].reason_id ? " " : "",
				       p[i].reason_id ? p[i].reason_id : "");
	}
	free(p);
	report_free(report);
	return text;
}

static const char *all_of(struct node *n)
{
	return protections(n, (struct model_choice){ 0 }, 0);
}

static void each_kind(void **state)
{
	static const struct {
		struct node_spec spec;
		const char *want;
	} rows[] = {
		{ { 0 }, "web act" },
		{ { .version = "1.4.3" }, "web act" },
		{ { .v1 = true }, "web act; web act" },
		{ { .entry = EW_NO }, "web refused no-entry" },
		{ { .version = "1.4.3", .entry = EW_NO }, "web refused no-entry" },
		{ { .half_open = true }, "web refused no-agent-end" },
		{ { .unlinked = true }, "web refused forbidden" },
		{ { .no_checkpoint = true }, "web refused forbidden" },
		{ { .unregistered = true }, "web refused forbidden" },
		{ { .dark = true }, " refused forbidden" }, /* its id is not known */
		{ { .state = "T" }, "web refused forbidden" },
		{ { .slave_id = "other", .slave_pid = "slave(1)@10.0.0.7:5052" }, "" },
		{ { .v1 = true, .unlinked = true, .domain_socket = "/s", .unix_links = 2 },
		  "web keep not-tracked" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();
		const char *got;

		n->established = 432000;
		node_executor_(n, "web", rows[i].spec);
		node_snapshot(n);
		got = all_of(n);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: '%s', not '%s'", i, got, rows[i].want);
		node_free(n);
	}
}

static void without_tracking(void **state)
{
	struct node *n = node_new();

	(void)state;
	n->tracking = EW_NO;
	node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	assert_string_equal(all_of(n), "web keep not-tracked");
	n->tracking = EW_UNKNOWN;
	node_snapshot(n);
	assert_string_equal(all_of(n), "web refused forbidden"); /* its verdict is unknown */
	node_free(n);
}

/* By what the sysctl says an entry lasts; 0: not known, then what the act sees decides. */
static void lifetimes(void **state)
{
	static const struct {
		int established;
		uint32_t idle;
		const char *want;
	} rows[] = {
		{ 0, 0, "web act" },
		{ 2, 0, "web refused short-lived" },
		{ 3, 0, "web act" },
		{ 100, 50, "web act" },
		{ 100, 51, "web refused idle-too-long" },
		{ 0, 51, "web act" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();

		n->established = rows[i].established;
		node_executor(n, "web", .v1 = false);
		node_snapshot(n);
		assert_string_equal(protections(n, (struct model_choice){ 0 }, rows[i].idle),
				    rows[i].want);
		node_free(n);
	}
}

/* The verdict with an entry that expires within the recovery timeout. */
static void protected_in_time(void **state)
{
	static const struct {
		int established, left, keepidle;
		const char *verdict, *want;
	} rows[] = {
		{ 3000, 600, 0, "at-risk", "web act" },
		{ 3000, 600, 599, "healthy", "web keep protected" },
		{ 3000, 600, 600, "at-risk", "web act" }, /* it expires just then */
		{ 3000, 600, 700, "at-risk", "web act" }, /* the probe comes too late */
		{ 500, 600, 599, "at-risk", "web act" },  /* the one after it would */
		{ 0, 600, 599, "at-risk", "web act" },	  /* whether it would is not known */
		{ 3000, 600, 1, "healthy", "web act" },	  /* left by an act that was killed */
		{ 3, 2, 1, "healthy", "web keep protected" },
		{ 432000, 400000, 0, "healthy", "web act" }, /* not at risk, and not protected */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();
		struct node_proc *web = node_executor(n, "web", .v1 = false);
		const char *got;

		n->established = rows[i].established;
		n->entry_left = rows[i].left;
		web->links[0]->keepidle = rows[i].keepidle;
		node_snapshot(n);
		if (strcmp(node_verdict(n, "web"), rows[i].verdict) != 0)
			fail_msg("row %zu: %s", i, node_verdict(n, "web"));
		got = all_of(n);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: '%s', not '%s'", i, got, rows[i].want);
		node_free(n);
	}
}

/* Values of an earlier scan prove nothing: the socket may have changed since. */
static void only_values_of_the_last_scan(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	n->established = 3000;
	n->entry_left = 600;
	web->links[0]->keepidle = 60;
	node_snapshot(n);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	web->links[0]->keepidle = 0;
	node_snapshot(n);
	assert_string_equal(node_verdict(n, "web"), "at-risk");
	node_free(n);
}

/* Keepalive does not make an entry that is gone come back. */
static void no_entry(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .entry = EW_NO);
	struct report *report;

	(void)state;
	n->established = 3000;
	web->links[0]->keepidle = 60;
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_string_equal(verdict_name(node_find(report, "web")->verdict), "at-risk");
	assert_non_null(strstr(node_find(report, "web")->why[1],
			       "after 127 without an answer, one every 60 s, the executor "
			       "disconnects by itself"));
	report_free(report);
	node_free(n);
}

static void choices(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	node_executor(n, "db", .half_open = true);
	node_snapshot(n);
	assert_string_equal(all_of(n), "web act; db refused no-agent-end");
	assert_string_equal(protections(n, (struct model_choice){ .pid = web->pid }, 0), "web act");
	assert_string_equal(
		protections(n, (struct model_choice){ .verdicts = 1u << VERDICT_HALF_OPEN }, 0),
		"db refused no-agent-end");
	node_free(n);
}

/* What changed since the plan: "web=reason". */
static void plan_again(void **state)
{
	struct node *n = node_new();
	struct model_choice all = { 0 };
	struct model_protection *plan, *later;
	struct report *was, *is;
	struct node_proc *web;
	size_t n_plan, n_later;

	(void)state;
	node_executor(n, "db", .v1 = false);
	web = node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	was = node_report(n, REPORT_AUDIT);
	assert_int_equal(model_protections(was, &all, 0, &plan, &n_plan), 0);
	web->links[0]->entry = EW_NO;
	node_snapshot(n);
	is = node_report(n, REPORT_AUDIT);
	assert_int_equal(model_protections(is, &all, 0, &later, &n_later), 0);
	model_protections_check(was, is, plan, n_plan, later, n_later);
	assert_int_equal(n_plan, 2);
	assert_string_equal(plan[0].target.executor_id, "db");
	assert_null(plan[0].target.changed);
	assert_non_null(strstr(plan[1].target.changed, "entry of connection tracking is gone"));
	free(later);
	report_free(is);
	/* Another agent: nothing of the plan holds. */
	node_agent_stop(n);
	node_agent_start(n);
	node_snapshot(n);
	is = node_report(n, REPORT_AUDIT);
	assert_int_equal(model_protections(is, &all, 0, &later, &n_later), 0);
	model_protections_check(was, is, plan, n_plan, later, n_later);
	assert_non_null(strstr(plan[0].target.changed, "the agent is another process now"));
	free(later);
	free(plan);
	report_free(was);
	report_free(is);
	node_free(n);
}

static void idle_times(void **state)
{
	static const struct {
		int64_t lifetime;
		uint32_t idle;
	} rows[] = { { 0, 1 },	  { 3, 1 },	 { 7, 1 },	{ 8, 2 },
		     { 300, 75 }, { 2400, 600 }, { 2404, 600 }, { 432000, 600 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(keepalive_idle_for(rows[i].lifetime * NODE_SECOND), rows[i].idle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind),
		cmocka_unit_test(without_tracking),
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(protected_in_time),
		cmocka_unit_test(only_values_of_the_last_scan),
		cmocka_unit_test(no_entry),
		cmocka_unit_test(choices),
		cmocka_unit_test(plan_again),
		cmocka_unit_test(idle_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings: what facts about the node and the next start make of them. */
#include "model/finding_table.h"

#include "node_audit.h"

/* The finding of that id in an audit; .id is NULL where there is none. Texts are not kept. */
static struct report_finding finding_of(struct node *n, const char *id)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	struct report_finding found = { 0 };

	for (size_t i = 0; i < report->n_findings; i++)
		if (strcmp(report->findings[i].id, id) == 0)
			found = report->findings[i];
	report_free(report);
	return found;
}

static int exit_code_now(struct node *n)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	int code = report->exit_code;

	report_free(report);
	return code;
}

static void emit_full_table(struct node *n)
{
	node_emit(n, (struct fact){ .type = FACT_CT_ACTIVE,
				    .ct_active = { .netns = n->agent_ns,
						   .in_force = EW_YES,
						   .entries = 1000,
						   .limit = 1000 } });
}

static void an_ignored_finding_does_not_count(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	emit_full_table(n);
	assert_false(finding_of(n, "conntrack-full").ignored);
	assert_int_equal(exit_code_now(n), 2);
	n->ignored = "v1-backoff,conntrack-full";
	node_window(n);
	assert_true(finding_of(n, "conntrack-full").ignored);
	assert_int_equal(finding_of(n, "conntrack-full").severity, SEVERITY_CRITICAL);
	assert_int_equal(exit_code_now(n), 0);
	n->ignored = "conntrack-ful,conntrack-full-";
	node_window(n);
	assert_int_equal(exit_code_now(n), 2);
	node_free(n);
}

/* More findings than any first allocation holds. */
static void every_finding_is_kept(void **state)
{
	struct report *report;
	size_t found = 0;

	one(n, .entry = EW_YES);
	(void)state;
	node_snapshot(n);
	for (int i = 0; i < 9; i++)
		node_emit(n, (struct fact){ .type = FACT_AGENT,
					    .agent = { .pid = 9000 + i,
						       .start = 1,
						       .comm = "evil",
						       .uid_known = EW_YES,
						       .uid = 65534,
						       .listen = node_addr("10.0.0.8:5051"),
						       .netns = n->agent_ns,
						       .cookie = 90000 + (uint64_t)i } });
	report = node_report(n, REPORT_AUDIT);
	for (size_t i = 0; i < report->n_findings; i++)
		found += strcmp(report->findings[i].id, "impostor-agent") == 0;
	assert_int_equal(found, 9);
	report_free(report);
	node_free(n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ignored_finding_does_not_count),
		cmocka_unit_test(every_finding_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

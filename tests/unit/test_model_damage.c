/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Checkpoints that an agent's recovery needs: what missing and damaged ones mean. */
#include "node_audit.h"

static void a_missing_checkpoint_orphans(void **state)
{
	one(n, .entry = EW_YES, .recoverable = EW_NO, .obstacle = "executor.info is missing");

	(void)state;
	node_executor(n, "db", .entry = EW_YES, .recoverable = EW_YES);
	node_snapshot(n);
	check(n, "web", "orphaned");
	why_has(n, "web", "executor.info is missing");
	check(n, "db", "healthy");
	node_free(n);
}

static void an_unreadable_one_leaves_it_unknown(void **state)
{
	one(n, .entry = EW_YES, .recoverable = EW_UNKNOWN,
	    .obstacle = "framework.info could not be read");

	(void)state;
	node_snapshot(n);
	check(n, "web", "unknown");
	why_has(n, "web", "framework.info could not be read");
	node_free(n);
}

/* They tell neither. */
static void an_older_recording_is_judged_as_before(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	check(n, "web", "healthy");
	node_free(n);
}

/* "SEVERITY evidence" of the finding, or "". */
static const char *damage_found(struct node *n)
{
	static char text[512];
	struct report *report = node_report(n, REPORT_AUDIT);

	text[0] = '\0';
	for (size_t i = 0; i < report->n_findings; i++)
		if (strcmp(report->findings[i].id, "checkpoint-damaged") == 0)
			snprintf(text, sizeof(text), "%s %s",
				 severity_name(report->findings[i].severity),
				 report->findings[i].evidence);
	report_free(report);
	return text;
}

static void emit_damage(struct node *n, const char *path, enum ew_tri fatal)
{
	node_emit(n, (struct fact){ .type = FACT_DAMAGE,
				    .damage = { path, "task.info holds no protobuf", fatal } });
}

static void emit_strict(struct node *n, enum ew_tri strict)
{
	node_emit(n, (struct fact){ .type = FACT_API,
				    .api = { .http_status = 200,
					     .slave_id = NODE_AGENT_ID,
					     .answer_nr = 77,
					     .strict = strict } });
}

static void damage_is_critical(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	assert_string_equal(damage_found(n), "");
	emit_damage(n, "/m/b", EW_NO);
	emit_damage(n, "/m/a", EW_NO);
	emit_damage(n, "/m/b", EW_NO);
	assert_string_equal(damage_found(n),
			    "critical An agent's recovery fails at the checkpoint /m/a: task.info "
			    "holds no protobuf. So it does at 1 other.");
	node_free(n);
}

static void damage_is_gone_with_the_next_scan(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	emit_damage(n, "/m/a", EW_YES);
	node_snapshot(n);
	assert_string_equal(damage_found(n), "");
	node_free(n);
}

/* --strict=false */
static void damage_that_is_passed_over_is_no_finding(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	emit_damage(n, "/m/a", EW_NO);
	emit_strict(n, EW_NO);
	assert_string_equal(damage_found(n), "");
	emit_strict(n, EW_YES);
	assert_string_not_equal(damage_found(n), "");
	emit_strict(n, EW_NO);
	emit_damage(n, "/m/b", EW_YES);
	assert_non_null(strstr(damage_found(n), "/m/b: "));
	assert_null(strstr(damage_found(n), "other"));
	node_free(n);
}

static void emit_next(struct node *n, enum ew_tri known, const char *strict)
{
	uint64_t start = node_start_of(n, n->agent);

	node_emit(n, (struct fact){
			     .type = FACT_NEXT_START,
			     .next_start = { .pid = n->agent, .start = start, .known = known } });
	if (strict)
		node_emit(n, (struct fact){ .type = FACT_FLAG,
					    .flag = { .pid = n->agent,
						      .start = start,
						      .when = "next",
						      .name = "strict",
						      .value = strict } });
}

/* The running agent has --strict=false; the agent that recovers is the next one. */
static void the_next_starts_flag_decides(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	emit_damage(n, "/m/a", EW_NO);
	emit_strict(n, EW_NO);
	emit_next(n, EW_YES, "true");
	assert_string_not_equal(damage_found(n), "");
	emit_next(n, EW_YES, NULL);
	assert_string_not_equal(damage_found(n), "");
	emit_next(n, EW_YES, "false");
	assert_string_equal(damage_found(n), "");
	emit_next(n, EW_NO, NULL);
	assert_string_equal(damage_found(n), "");
	emit_strict(n, EW_YES);
	emit_next(n, EW_YES, "0");
	assert_string_equal(damage_found(n), "");
	node_free(n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_checkpoint_orphans),
		cmocka_unit_test(an_unreadable_one_leaves_it_unknown),
		cmocka_unit_test(an_older_recording_is_judged_as_before),
		cmocka_unit_test(damage_is_critical),
		cmocka_unit_test(damage_is_gone_with_the_next_scan),
		cmocka_unit_test(damage_that_is_passed_over_is_no_finding),
		cmocka_unit_test(the_next_starts_flag_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

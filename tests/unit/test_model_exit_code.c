/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The decision table of exit codes, row by row, and the gate of `run`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/tcp.h>

#include "model/exit_code.h"
#include "model/gate.h"
#include "model/verdict_table.h"

/* Every combination of the facts: the worst of them decides. */
static void the_worst_decides(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 1u << 7; bits++) {
		struct exit_facts facts = {
			.critical = bits & 1,
			.unknown = bits & 2,
			.interrupted = bits & 4,
			.nobody = bits & 8,
			.warning = bits & 16,
			.undone = bits & 32,
			.not_restarted = bits & 64,
		};
		int want = bits & 1 ? 2 : bits & 14 ? 3 : bits & 112 ? 1 : 0;

		if (exit_code_of(&facts) != want)
			fail_msg("facts %#x: %d, not %d", bits, exit_code_of(&facts), want);
	}
}

static struct gate gate_of(enum verdict verdict, uint32_t accepted)
{
	struct report_executor executor = { .verdict = verdict };
	struct report audit = { .executors = &executor,
				.n_executors = 1,
				.agent = { .pid = 1, .slave_id = "S0" } };

	audit.verdicts[verdict] = 1;
	return gate_judge(&audit, accepted, false);
}

static void the_gate_by_verdict(void **state)
{
	static const int code[VERDICT_COUNT] = {
		[VERDICT_UNKNOWN] = 3,	    [VERDICT_ORPHANED] = 2,  [VERDICT_NO_CHECKPOINT] = 2,
		[VERDICT_UNREGISTERED] = 2, [VERDICT_SAME_FATE] = 2, [VERDICT_UNRESPONSIVE] = 2,
		[VERDICT_HALF_OPEN] = 2,    [VERDICT_AT_RISK] = 2,
	};

	(void)state;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		struct gate gate = gate_of((enum verdict)v, 0);
		struct gate accepted = gate_of((enum verdict)v, 1u << v);

		if (gate_exit_code(&gate) != code[v] || gate.open != !code[v])
			fail_msg("%s: %d", verdict_name((enum verdict)v), gate_exit_code(&gate));
		assert_true(accepted.open);
		/* Another verdict that is accepted does not open it. */
		assert_int_equal(gate_of((enum verdict)v, ~(1u << v)).open, !code[v]);
	}
}

static void a_guard_does_not_cover_a_failed_treatment(void **state)
{
	struct report_link link = { .state = TCP_ESTABLISHED, .fd = 5 };
	struct report_executor executor = {
		.pid = 7,
		.verdict = VERDICT_AT_RISK,
		.guardable = true,
		.links = &link,
		.n_links = 1,
	};
	struct report_act act = { .pid = 8, .result = "failed" };
	struct report audit = { .executors = &executor,
				.n_executors = 1,
				.acts = &act,
				.n_acts = 1,
				.agent = { .pid = 1, .slave_id = "S0" } };
	struct gate gate = gate_judge(&audit, 0, true);

	(void)state;
	assert_true(gate.open);
	act.pid = executor.pid;
	gate = gate_judge(&audit, 0, true);
	assert_int_equal(gate_exit_code(&gate), 2);
}

static void the_gate_without_anybody(void **state)
{
	struct report nobody = { .agent = { .pid = 0 } };
	struct report no_executors = { .agent = { .pid = 1, .slave_id = "S0" } };
	struct report blind = { .agent = { .pid = 1, .slave_id = "S0" }, .blind = true };
	struct gate gate = gate_judge(&nobody, ~0u, false);

	(void)state;
	assert_int_equal(gate_exit_code(&gate), 3);
	gate = gate_judge(&no_executors, 0, false);
	assert_int_equal(gate_exit_code(&gate), 0);
	gate = gate_judge(&blind, ~0u, false);
	assert_int_equal(gate_exit_code(&gate), 3);
}

static void a_critical_finding_shuts_the_gate(void **state)
{
	struct report_finding finding = { .id = "a", .severity = SEVERITY_CRITICAL };
	struct report report = { .agent = { .pid = 1, .slave_id = "S0" },
				 .findings = &finding,
				 .n_findings = 1 };
	struct gate gate = gate_judge(&report, ~0u, false);

	(void)state;
	assert_int_equal(gate_exit_code(&gate), 2);
	finding.severity = SEVERITY_WARNING;
	gate = gate_judge(&report, 0, false);
	assert_true(gate.open);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worst_decides),
		cmocka_unit_test(the_gate_by_verdict),
		cmocka_unit_test(a_guard_does_not_cover_a_failed_treatment),
		cmocka_unit_test(the_gate_without_anybody),
		cmocka_unit_test(a_critical_finding_shuts_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

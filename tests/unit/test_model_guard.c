/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which links did not notice the agent's end, and which of them the guard may touch. */
#include "node.h"
#include "node_window.h"

/* An agent of before, which the node has forgotten by then. */
struct ended {
	int pid;
	uint64_t start;
};

static struct ended agent_of(const struct node *n)
{
	return (struct ended){ n->agent, node_start_of(n, n->agent) };
}

/* The targets as "web; db: why it is left alone; …". */
static const char *targets(const struct node *n, struct ended agent)
{
	static char text[4096];
	struct model_target *t;
	size_t count, at = 0;

	assert_int_equal(model_guard_targets(n->model, agent.pid, agent.start, &t, &count), 0);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		assert_true(t[i].fd >= 0 && t[i].inode && t[i].cookie && t[i].pid && t[i].start);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s%s", i ? "; " : "",
				       t[i].executor_id, t[i].changed ? ": " : "",
				       t[i].changed ? t[i].changed : "");
	}
	free(t);
	return text;
}

static void hook_emit(struct node *n, const char *program, bool best_effort)
{
	node_emit(n, (struct fact){ .type = FACT_HOOK,
				    .hook = { .hook = "messages",
					      .program = program,
					      .reason = "",
					      .best_effort = best_effort } });
}

static void only_stale_links_of_those_that_need_it(void **state)
{
	static const struct {
		struct node_spec spec;
		const char *want;
	} rows[] = {
		{ { 0 }, "" },
		{ { .entry = EW_NO }, "web" },
		{ { .half_open = true }, "web" },
		{ { .v1 = true, .entry = EW_NO }, "web; web" },
		{ { .version = "1.4.3", .entry = EW_NO }, "" },
		{ { .no_checkpoint = true, .entry = EW_NO }, "" },
		{ { .unregistered = true, .entry = EW_NO }, "" },
		{ { .completed = true, .entry = EW_NO }, "" },
		{ { .state = "T", .entry = EW_NO }, "" },
		{ { .dark = true, .entry = EW_NO }, "" },
		{ { .slave_id = "other", .entry = EW_NO }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();
		struct ended agent = agent_of(n);

		node_executor_(n, "web", rows[i].spec);
		node_snapshot(n);
		node_baseline(n);
		assert_string_equal(targets(n, agent), ""); /* the agent lives */
		node_agent_stop(n);
		if (strcmp(targets(n, agent), rows[i].want) != 0)
			fail_msg("row %zu: '%s'", i, targets(n, agent));
		node_free(n);
	}
}

static void shortest_deadline_first(void **state)
{
	struct node *n = node_new();
	struct ended agent = agent_of(n);

	(void)state;
	node_executor(n, "late", .entry = EW_NO);
	node_executor(n, "soon", .entry = EW_NO, .timeout = 60);
	node_snapshot(n);
	node_baseline(n);
	node_executor(n, "new", .entry = EW_NO); /* not in the baseline */
	node_agent_stop(n);
	assert_string_equal(targets(n, agent), "soon; late");
	node_free(n);
}

/* A v1 executor of which one link got the FIN closes the other by itself. */
static void one_link_of_two_has_ended(void **state)
{
	struct node *n = node_new();
	struct ended agent = agent_of(n);
	struct node_proc *p = node_executor(n, "web", .v1 = true, .entry = EW_NO);

	(void)state;
	p->links[1]->entry = EW_YES;
	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	assert_string_equal(targets(n, agent), "");
	node_free(n);
}

/* It is down already and has linked again without being registered: the next end would be its
 * second. */
static void not_one_that_is_down(void **state)
{
	one(n, p, .entry = EW_NO);
	struct ended agent = agent_of(n);

	(void)state;
	node_drops(n, p);
	node_wait(n, 1);
	node_link(n, p);
	node_snapshot(n);
	node_agent_stop(n);
	assert_string_equal(targets(n, agent), "");
	node_free(n);
}

#define ASKED                                                                                      \
	"web: the new agent has already asked it to reconnect: a second disconnect would end it"
#define MAYBE                                                                                      \
	"web: a new agent listens, and which executors it has asked to reconnect is not "          \
	"observed: a second disconnect would end one that was asked"

static void not_once_the_new_agent_has_asked(void **state)
{
	one(n, p, .entry = EW_NO);
	struct ended agent = agent_of(n);

	(void)state;
	hook_emit(n, "fentry/tcp_sendmsg", false);
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	assert_string_equal(targets(n, agent), "web"); /* it has not asked yet */
	assert_null(model_guard_refusal(n->model, agent.pid, agent.start, p->pid, p->start));
	node_tell(n, p, "ReconnectExecutorMessage");
	assert_string_equal(targets(n, agent), ASKED);
	assert_non_null(model_guard_refusal(n->model, agent.pid, agent.start, p->pid, p->start));
	node_free(n);
}

/* Whom the new agent asks must be seen for certain. */
static void not_when_nobody_tells_whom_it_asks(void **state)
{
	static const struct {
		const char *program;
		bool best_effort;
		uint64_t lost;
		const char *want;
	} rows[] = {
		{ "fentry/tcp_sendmsg", false, 0, "web" },
		{ "", false, 0, MAYBE },
		{ "fentry/tcp_sendmsg", true, 0, MAYBE },
		{ "fentry/tcp_sendmsg", false, 1, MAYBE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p, .entry = EW_NO);
		struct ended agent = agent_of(n);

		(void)p;
		hook_emit(n, rows[i].program, rows[i].best_effort);
		node_agent_stop(n);
		assert_string_equal(targets(n, agent), "web");
		if (rows[i].lost)
			node_emit(n, (struct fact){ .type = FACT_LOST,
						    .lost = { "message-ring", rows[i].lost, 10 } });
		node_agent_start(n);
		if (strcmp(targets(n, agent), rows[i].want) != 0)
			fail_msg("row %zu: '%s'", i, targets(n, agent));
		node_free(n);
	}
}

/* The plan as "web; db; …". */
static const char *planned(const struct node *n)
{
	static char text[4096];
	struct model_target *t;
	size_t count;

	assert_int_equal(model_guard_plan(n->model, &t, &count), 0);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? "; " : "",
			 t[i].executor_id);
	free(t);
	return text;
}

/* Whatever its link looks like now: what the agent's end leaves ESTABLISHED is stale. */
static void what_is_planned_while_the_agent_lives(void **state)
{
	static const struct {
		struct node_spec spec;
		const char *want;
	} rows[] = {
		{ { 0 }, "web" },
		{ { .entry = EW_NO }, "web" },
		{ { .half_open = true }, "web" },
		{ { .netns = 77 }, "web" },
		{ { .v1 = true }, "web; web" },
		{ { .version = "1.4.3" }, "" },
		{ { .no_checkpoint = true }, "" },
		{ { .unregistered = true }, "" },
		{ { .unlinked = true }, "" },
		{ { .state = "T" }, "" },
		{ { .dark = true }, "" },
		{ { .slave_id = "other" }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();

		node_executor_(n, "web", rows[i].spec);
		node_snapshot(n);
		node_baseline(n);
		if (strcmp(planned(n), rows[i].want) != 0)
			fail_msg("row %zu: '%s'", i, planned(n));
		node_free(n);
	}
}

static void new_executors_are_planned_and_treated(void **state)
{
	struct node *n = node_new();
	struct ended agent = agent_of(n);

	(void)state;
	node_executor_(n, "web", (struct node_spec){ 0 });
	node_snapshot(n);
	node_baseline(n);
	node_executor_(n, "new", (struct node_spec){ .entry = EW_NO });
	node_snapshot(n);
	assert_string_equal(planned(n), "web; new");
	node_agent_stop(n);
	assert_string_equal(planned(n), "");
	assert_string_equal(targets(n, agent), "new");
	node_free(n);
}

/* The gate counts on the guard for what it would treat, and for nothing else. */
static void what_the_gate_counts_on(void **state)
{
	static const struct {
		struct node_spec spec;
		bool covered, untold; /* whether its link is tracked is not known */
	} rows[] = {
		{ { .entry = EW_NO }, true, false },
		{ { .half_open = true }, true, false },
		{ { 0 }, false, false },
		{ { .no_checkpoint = true }, false, false },
		{ { .unlinked = true }, false, false },
		{ { .v1 = true, .half_open = true }, true, false },
		{ { 0 }, true, true },
		{ { .dark = true }, false, true },
		{ { .no_checkpoint = true }, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();
		struct report *audit;

		if (rows[i].untold)
			n->tracking = EW_UNKNOWN;
		node_executor_(n, "web", rows[i].spec);
		node_snapshot(n);
		audit = node_report(n, REPORT_AUDIT);
		if (model_guard_covers(&audit->executors[0]) != rows[i].covered)
			fail_msg("row %zu: %s", i, verdict_name(audit->executors[0].verdict));
		report_free(audit);
		node_free(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_stale_links_of_those_that_need_it),
		cmocka_unit_test(shortest_deadline_first),
		cmocka_unit_test(one_link_of_two_has_ended),
		cmocka_unit_test(not_one_that_is_down),
		cmocka_unit_test(not_once_the_new_agent_has_asked),
		cmocka_unit_test(not_when_nobody_tells_whom_it_asks),
		cmocka_unit_test(what_is_planned_while_the_agent_lives),
		cmocka_unit_test(new_executors_are_planned_and_treated),
		cmocka_unit_test(what_the_gate_counts_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

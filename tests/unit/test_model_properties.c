/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What must hold whatever facts the model gets: facts of stories with one left out, many left out,
 * doubled, in another order or cut off, and facts made at random.
 *
 *  - exit code 0 only with positive evidence: every executor's severity is ok;
 *  - facts that are missing make nothing better: an executor that is not ok with all facts is not
 * ok without some;
 *  - no `reregistered` without the facts of its proof;
 *  - nothing that must not be touched is a target.
 *
 * PROPERTY_CASES=N changes how many cases there are; PROPERTY_SEED=N the random numbers.
 */
#include <inttypes.h>
#include <signal.h>

#include "fact_list.h"
#include "node.h"
#include "record/recording.h"

#define STORIES (sizeof(stories) / sizeof(stories[0]))
#define CASES	110000

static uint64_t seed = 20;
static size_t cases;

/* xorshift64*: the same cases in every run. */
static uint32_t below(uint32_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 2685821657736338717ULL) >> 33) % n;
}

/* ---- stories ---- */

struct story {
	const char *name;
	enum report_kind kind;
	void (*tell)(struct node *n);
};

static void of_verdicts(struct node *n)
{
	node_executor(n, "healthy", 0);
	node_executor(n, "http", .v1 = true);
	node_executor(n, "at-risk", .entry = EW_NO);
	node_executor(n, "half-open", .half_open = true);
	node_executor(n, "relinks", .half_open = true, .version = "1.4.3");
	node_snapshot(n);
}

static void of_the_forbidden(struct node *n)
{
	node_executor(n, "no-checkpoint", .no_checkpoint = true, .half_open = true);
	node_executor(n, "unregistered", .unregistered = true, .entry = EW_NO);
	node_executor(n, "disconnected", .unlinked = true);
	node_executor(n, "foreign", .slave_pid = "slave(1)@10.0.0.7:5052", .slave_id = "other-S9");
	node_snapshot(n);
}

static void of_another_agent(struct node *n)
{
	node_executor(n, "theirs", .slave_pid = "slave(1)@10.0.0.7:5052", .unlinked = true);
	node_executor(n, "whose", .slave_pid = "slave(1)@10.0.0.7:5053", .unlinked = true);
	n->no_work_dir = true;
	node_agent_stop(n);
	node_watch_anew(n);
	node_snapshot(n);
	node_emit(n, (struct fact){ .type = FACT_LISTENER,
				    .listener = { .listen = node_addr("10.0.0.7:5052"),
						  .netns = NODE_HOST_NS } });
}

static void of_nobody(struct node *n)
{
	node_agent_stop(n);
	node_snapshot(n);
}

static void of_a_return(struct node *n)
{
	struct node_proc *web = node_executor(n, "web", 0);
	struct node_proc *http = node_executor(n, "http", .v1 = true);

	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	node_comes_back(n, web);
	node_comes_back(n, http);
	node_wait(n, 3);
	node_agent_serves(n);
}

static void of_a_return_unseen(struct node *n)
{
	struct node_proc *web = node_executor(n, "web", 0);

	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	n->quiet = true;
	node_wait(n, 1);
	node_agent_start(n);
	node_comes_back(n, web);
	node_wait(n, 20);
	node_agent_serves(n);
}

static void of_ends(struct node *n)
{
	struct node_proc *done = node_executor(n, "done", 0), *bad = node_executor(n, "bad", 0);
	struct node_proc *shot = node_executor(n, "shot", 0), *mute = node_executor(n, "mute", 0);

	node_executor(n, "kept", 0);
	node_snapshot(n);
	node_baseline(n);
	node_wait(n, 1);
	node_task_ends(n, done, "TASK_FINISHED");
	node_task_ends(n, bad, "TASK_FAILED");
	node_wait(n, 1);
	node_ends(n, done, 0, 0);
	node_ends(n, bad, 0, 0);
	node_ends(n, shot, SIGKILL, 4711);
	node_ends(n, mute, 0, 0);
	node_snapshot(n);
}

static void of_a_kill(struct node *n)
{
	struct node_proc *web = node_executor(n, "web", .entry = EW_NO);

	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	node_tell(n, web, "ReconnectExecutorMessage");
	node_says(n, web, "ReregisterExecutorMessage");
	node_wait(n, 3);
	node_ends(n, web, SIGKILL, n->agent);
	node_agent_serves(n);
}

static void of_waiting(struct node *n)
{
	node_executor(n, "web", 0);
	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	node_wait(n, 1);
	node_snapshot(n);
}

static const struct story stories[] = {
	{ "verdicts", REPORT_AUDIT, of_verdicts },
	{ "forbidden", REPORT_AUDIT, of_the_forbidden },
	{ "another agent", REPORT_AUDIT, of_another_agent },
	{ "nobody", REPORT_AUDIT, of_nobody },
	{ "return", REPORT_VERIFY, of_a_return },
	{ "return unseen", REPORT_VERIFY, of_a_return_unseen },
	{ "ends", REPORT_VERIFY, of_ends },
	{ "kill", REPORT_VERIFY, of_a_kill },
	{ "waiting", REPORT_VERIFY, of_waiting },
};

static struct fact_list *told(const struct story *story)
{
	struct fact_list *list = fact_list_new();
	struct fact_sink tap = { fact_list_emit, list };
	struct node *n = node_new();

	model_free(n->model);
	n->model = model_new();
	n->tap = &tap;
	node_window(n);
	n->hooks = false; /* the agent is older than the hooks */
	node_state(n, n->listen, TCP_LISTEN, n->agent);
	n->hooks = true;
	story->tell(n);
	node_free(n);
	return list;
}

/* ---- what must hold ---- */

struct judged {
	struct report *report;
	struct model *model;
};

static struct judged judge(const struct fact_order *order, enum report_kind kind)
{
	struct judged judged = { 0 };

	judged.report = fact_order_judge(order, kind, &judged.model);
	assert_non_null(judged.report);
	cases++;
	return judged;
}

static void judged_free(struct judged *judged)
{
	report_free(judged->report);
	model_free(judged->model);
}

static const char *said_of(const struct report *report, const struct report_executor *e)
{
	return report_has_outcomes(report) ? outcome_name(e->outcome) : verdict_name(e->verdict);
}

/* Facts of a proof that are there, of this executor. */
static bool proof_is_there(const struct fact_order *order, const struct report_executor *e)
{
	for (size_t i = 0; i < order->n; i++) {
		const struct fact *f = order->facts[i];

		if (e->proof == PROOF_MESSAGE && f->type == FACT_MESSAGE)
			return true;
		if (e->proof == PROOF_API && f->type == FACT_API_EXECUTOR &&
		    strcmp(f->api_executor.executor_id, e->executor_id) == 0)
			return true;
		if (e->proof == PROOF_LINK &&
		    ((f->type == FACT_HOLDER && f->holder.pid == e->pid) ||
		     (f->type == FACT_TCP && f->tcp.pid == e->pid)))
			return true;
	}
	return false;
}

/* Messages both ways, by name: of that executor where the message says whose it is. */
static bool messages_are_there(const struct fact_order *order, const struct report_executor *e)
{
	bool out = false, in = false;

	for (size_t i = 0; i < order->n; i++) {
		const struct fact_message *m = &order->facts[i]->message;

		if (order->facts[i]->type != FACT_MESSAGE)
			continue;
		out |= m->pid == e->pid && (strcmp(m->name, "ReregisterExecutorMessage") == 0 ||
					    strcmp(m->name, "SUBSCRIBE") == 0);
		in |= strcmp(m->name, "ExecutorReregisteredMessage") == 0 ||
		      strcmp(m->name, "200 OK") == 0;
	}
	return out && in;
}

/* Facts of an executor in a state that forbids to touch it; the verdict may be another. */
static bool is_forbidden(const struct fact_order *order, const struct model_target *target)
{
	bool checkpoints = false;

	for (size_t i = 0; i < order->n; i++) {
		const struct fact *f = order->facts[i];

		if (f->type == FACT_PROCESS && f->process.pid == target->pid)
			checkpoints |= f->process.checkpoint;
	}
	return !checkpoints;
}

static const char *touch_is_wrong(const struct fact_order *order, const struct report *report,
				  bool of_one_story)
{
	const struct model_choice all = { .all = true };
	struct model_target *targets;
	const char *wrong = NULL;
	size_t n;

	assert_int_equal(model_select(report, &all, &targets, &n), 0);
	for (size_t i = 0; i < n && !wrong; i++) {
		if (targets[i].forbidden)
			continue;
		if (is_forbidden(order, &targets[i]))
			wrong = "a target without checkpoint";
		else if (!targets[i].cookie || !targets[i].pid)
			wrong = "a target without a link or a process";
		else if (!of_one_story)
			continue;
		else if (strcmp(targets[i].executor_id, "unregistered") == 0)
			wrong = "a target that never registered";
		else if (strcmp(targets[i].executor_id, "disconnected") == 0)
			wrong = "a target that is disconnected";
		else if (strcmp(targets[i].executor_id, "foreign") == 0)
			wrong = "another agent's as a target";
	}
	free(targets);
	return wrong;
}

/* NULL: all holds. */
static const char *wrong_by_itself(const struct fact_order *order, const struct report *report,
				   bool of_one_story)
{
	static char text[256];
	bool all_ok = true;

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *e = &report->executors[i];

		all_ok &= e->severity == SEVERITY_OK;
		if (!report_has_outcomes(report) || e->outcome != OUTCOME_REREGISTERED)
			continue;
		snprintf(text, sizeof(text), "%s reregistered by %s without its facts",
			 e->executor_id, e->proof ? proof_name(e->proof) : "nothing");
		if (!e->proof || !proof_is_there(order, e) ||
		    (e->proof == PROOF_MESSAGE && !messages_are_there(order, e)))
			return text;
	}
	if (report->exit_code == 0 && !all_ok)
		return "exit code 0 with an executor that is not ok";
	if (report->exit_code < 0 || report->exit_code > 3)
		return "an exit code that does not exist";
	/* Acting verbs ask audits alone. */
	return report_has_outcomes(report) ? NULL : touch_is_wrong(order, report, of_one_story);
}

/* NULL: nothing is better in less than in whole. */
static const char *better(const struct report *whole, const struct report *less)
{
	static char text[256];

	for (size_t i = 0; i < whole->n_executors; i++) {
		const struct report_executor *e = &whole->executors[i];
		const struct report_executor *now = node_find(less, e->executor_id);

		if (e->severity == SEVERITY_OK || !now || now->severity != SEVERITY_OK)
			continue;
		snprintf(text, sizeof(text), "%s is %s, not %s", e->executor_id, said_of(less, now),
			 said_of(whole, e));
		return text;
	}
	return whole->exit_code != 0 && less->exit_code == 0 ? "exit code 0" : NULL;
}

/* NULL: what must hold holds. */
static const char *wrong_in(const struct fact_order *order, const struct story *story,
			    const struct report *whole, bool of_one_story)
{
	struct judged judged = judge(order, story->kind);
	const char *wrong = wrong_by_itself(order, judged.report, of_one_story);

	if (!wrong && whole)
		wrong = better(whole, judged.report);
	judged_free(&judged);
	return wrong;
}

static void holds(const struct fact_order *order, const struct story *story,
		  const struct report *whole, const char *how, size_t which)
{
	const char *wrong = wrong_in(order, story, whole, strcmp(how, "mixed") != 0);

	if (wrong)
		fail_msg("story '%s', %s %zu: %s", story->name, how, which, wrong);
}

/* ---- cases ---- */

static void leave_out(const struct fact_list *list, const bool *out, struct fact_order *order)
{
	order->n = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!out[i])
			order->facts[order->n++] = &list->facts[i];
}

static void each_fact_left_out(const struct fact_list *list, const struct story *story,
			       const struct report *whole)
{
	bool out[FACTS_MAX] = { false };
	struct fact_order order;

	for (size_t i = 0; i < list->n; i++) {
		out[i] = true;
		leave_out(list, out, &order);
		holds(&order, story, whole, "without fact", i);
		out[i] = false;
	}
}

/* What a lost fact belongs to: 0 events, else the source of a scan. */
static uint32_t source_of(const struct fact *fact)
{
	switch (fact->type) {
	case FACT_SOCKET:
	case FACT_LISTENER:
		return SCAN_SOCKETS;
	case FACT_PROCESS:
	case FACT_HOLDER:
		return SCAN_PROCESSES;
	case FACT_CHECKPOINT:
	case FACT_WORK_DIR:
	case FACT_TASK:
		return SCAN_CHECKPOINTS;
	case FACT_CT_ENTRY:
	case FACT_CT_ACTIVE:
	case FACT_FIREWALL:
		return SCAN_TRACKING;
	case FACT_API:
	case FACT_API_EXECUTOR:
		return SCAN_API;
	default:
		return 0;
	}
}

static bool is_event(const struct fact *fact)
{
	return fact->type == FACT_TCP || fact->type == FACT_EXEC || fact->type == FACT_EXIT ||
	       fact->type == FACT_SIGNAL || fact->type == FACT_MESSAGE || fact->type == FACT_FORK;
}

/*
 * Facts that observers could not get: events are counted as lost, and a scan that lacks a fact did
 * not complete that source.
 */
static void missing(const struct fact_list *list, const bool *out, struct fact_order *order)
{
	static struct fact ends[FACTS_MAX], lost;
	uint32_t incomplete = 0;
	size_t n_ends = 0;

	lost = (struct fact){ .type = FACT_LOST, .lost = { .cause = "lifecycle-ring" } };
	order->n = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct fact *fact = &list->facts[i];

		if (out[i]) {
			incomplete |= source_of(fact);
			lost.lost.lost += is_event(fact);
			continue;
		}
		if (fact->type == FACT_SCAN && strcmp(fact->scan.phase, "end") == 0) {
			ends[n_ends] = *fact;
			ends[n_ends].scan.scope &= ~incomplete;
			fact = &ends[n_ends++];
			incomplete = 0;
		}
		if (fact->type == FACT_NOW && lost.lost.lost) {
			lost.mono = fact->mono;
			order->facts[order->n++] = &lost;
		}
		order->facts[order->n++] = fact;
	}
}

/* Fails with as few missing facts as do the same harm. */
static void shrink(const struct fact_list *list, bool *out, const struct story *story,
		   const struct report *whole)
{
	struct fact_order order;
	char text[1024] = "";

	for (size_t i = 0; i < list->n; i++) {
		if (!out[i])
			continue;
		out[i] = false;
		missing(list, out, &order);
		out[i] = !wrong_in(&order, story, whole, true);
	}
	for (size_t i = 0; i < list->n; i++)
		if (out[i])
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %zu:%s", i,
				 factjson_type_name(list->facts[i].type));
	missing(list, out, &order);
	fail_msg("story '%s' without the facts%s: %s", story->name, text,
		 wrong_in(&order, story, whole, true));
}

/* Up to a third of what observers see is missing. */
static void some_missing(const struct fact_list *list, const struct story *story,
			 const struct report *whole)
{
	bool out[FACTS_MAX] = { false };
	struct fact_order order;

	for (uint32_t n = 1 + below((uint32_t)list->n / 3); n > 0; n--) {
		size_t i = below((uint32_t)list->n);

		out[i] = is_event(&list->facts[i]) || source_of(&list->facts[i]);
	}
	missing(list, out, &order);
	if (wrong_in(&order, story, whole, true))
		shrink(list, out, story, whole);
}

static void some_doubled(const struct fact_list *list, const struct story *story,
			 const struct report *whole, size_t which)
{
	struct fact_order order = { .n = 0 };

	for (size_t i = 0; i < list->n; i++) {
		order.facts[order.n++] = &list->facts[i];
		if (below(4) == 0)
			order.facts[order.n++] = &list->facts[i];
	}
	holds(&order, story, whole, "some doubled", which);
}

/* Facts of one scan come in any order; so do events of different processors, within bounds. */
static void shuffled(const struct fact_list *list, const struct story *story, uint32_t distance,
		     const struct report *whole, size_t which)
{
	struct fact_order order;

	fact_order_of(list, &order);
	for (size_t i = 1; i + 1 < order.n; i++) {
		size_t k = i + below(distance);
		const struct fact *f = order.facts[i];

		if (k + 1 >= order.n)
			continue;
		order.facts[i] = order.facts[k];
		order.facts[k] = f;
	}
	holds(&order, story, whole, "in another order", which);
}

/* Its end is missing: what is judged is judged by what came before. */
static void cut_off(const struct fact_list *list, const struct story *story, size_t n)
{
	struct fact_order order;

	fact_order_of(list, &order);
	order.n = n;
	holds(&order, story, NULL, "cut off after", n);
}

/* Facts of several stories, in any order: of a node that cannot be. */
static void mixed(struct fact_list *const *lists, const struct story *story, size_t which)
{
	struct fact_order order = { .n = 1 };

	order.facts[0] = &lists[0]->facts[0];
	for (uint32_t n = 20 + below(200); n > 0; n--) {
		const struct fact_list *list = lists[below(STORIES)];

		order.facts[order.n++] = &list->facts[below((uint32_t)list->n)];
	}
	holds(&order, story, NULL, "mixed", which);
	holds(&order, &stories[0], NULL, "mixed", which);
}

/* ---- tests ---- */

static struct fact_list *lists[STORIES];
static size_t n_cases = CASES;

static int tell_all(void **state)
{
	const char *text = getenv("PROPERTY_CASES");

	(void)state;
	if (text)
		n_cases = strtoul(text, NULL, 10);
	if ((text = getenv("PROPERTY_SEED")))
		seed = strtoull(text, NULL, 10) | 1;
	for (size_t i = 0; i < STORIES; i++)
		lists[i] = told(&stories[i]);
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++)
		fact_list_free(lists[i]);
	printf("%zu cases\n", cases);
	return 0;
}

static struct judged whole_of(size_t i)
{
	struct fact_order order;

	fact_order_of(lists[i], &order);
	return judge(&order, stories[i].kind);
}

static void a_fact_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++) {
		struct judged whole = whole_of(i);

		each_fact_left_out(lists[i], &stories[i], whole.report);
		judged_free(&whole);
	}
}

static void facts_missing(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_cases / 4; k++) {
		struct judged whole = whole_of(k % STORIES);

		some_missing(lists[k % STORIES], &stories[k % STORIES], whole.report);
		judged_free(&whole);
	}
}

static void facts_doubled(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_cases / 8; k++) {
		struct judged whole = whole_of(k % STORIES);

		some_doubled(lists[k % STORIES], &stories[k % STORIES], whole.report, k);
		judged_free(&whole);
	}
}

static void facts_in_another_order(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_cases / 4; k++)
		shuffled(lists[k % STORIES], &stories[k % STORIES], 1 + below(40), NULL, k);
}

static void facts_cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORIES; i++)
		for (size_t n = 1; n <= lists[i]->n; n++)
			cut_off(lists[i], &stories[i], n);
}

static void facts_mixed(void **state)
{
	(void)state;
	for (size_t k = 0; k < n_cases / 8; k++)
		mixed(lists, &stories[k % STORIES], k);
}

/* ---- recordings ---- */

/* Facts of a window on a real node; the files are those of tests/e2e/test_recordings.py. */
static struct fact_list *recorded(const char *name)
{
	struct fact_list *list = fact_list_new();
	struct fact_sink sink = { fact_list_emit, list };
	struct recording_counts counts = { 0 };
	char command[256], path[] = "/tmp/properties.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	snprintf(command, sizeof(command), "gzip -dc tests/data/recordings/%s.jsonl.gz >%s", name,
		 path);
	assert_int_equal(system(command), 0);
	assert_int_equal(recording_replay(path, &sink, &counts, NULL), 0);
	close(fd);
	unlink(path);
	return list;
}

/* Without the facts from number `from` to `to`, which the replay of such a file says. */
static void with_a_gap(const struct fact_list *list, const struct story *window,
		       const struct report *whole, size_t from, size_t to)
{
	const struct fact incomplete = { .type = FACT_NOW,
					 .mono = list->facts[list->n - 1].mono,
					 .now = { .final = true, .incomplete = true } };
	struct fact_order order = { .n = 0 };

	for (size_t i = 0; i < list->n; i++)
		if (i < from || i >= to)
			order.facts[order.n++] = &list->facts[i];
	order.facts[order.n++] = &incomplete;
	holds(&order, window, whole, "without what follows", from);
}

static void recordings_with_a_line_or_the_end_missing(void **state)
{
	static const struct story windows[] = {
		{ "blame", REPORT_VERIFY, NULL },
		{ "relink-seen-by-a-row-first", REPORT_VERIFY, NULL },
		{ "end-before-its-event", REPORT_VERIFY, NULL },
		{ "agent-known-late", REPORT_VERIFY, NULL },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(windows) / sizeof(*windows); k++) {
		struct fact_list *list = recorded(windows[k].name);
		struct fact_order order;
		struct judged whole;

		fact_order_of(list, &order);
		whole = judge(&order, windows[k].kind);
		for (size_t i = 1; i < list->n; i++) {
			with_a_gap(list, &windows[k], whole.report, i, i + 1);
			with_a_gap(list, &windows[k], NULL, i, list->n);
		}
		judged_free(&whole);
		fact_list_free(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fact_left_out),
		cmocka_unit_test(facts_missing),
		cmocka_unit_test(facts_doubled),
		cmocka_unit_test(facts_cut_off),
		cmocka_unit_test(facts_in_another_order),
		cmocka_unit_test(facts_mixed),
		cmocka_unit_test(recordings_with_a_line_or_the_end_missing),
	};

	return cmocka_run_group_tests(tests, tell_all, free_all);
}

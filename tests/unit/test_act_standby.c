/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The thread that waits for the agent's end, and the file that outlives it. */
#include "act_node.h"

#include <poll.h>

#include "act/standby.h"

static bool next_is_there;
static char dir[] = "/tmp/ew-standby-XXXXXX";

static bool next_listens(void *ctx)
{
	(void)ctx;
	return next_is_there;
}

static pid_t agent_start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static void agent_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

enum { EXECUTORS_MAX = 4, WORKERS = 3 };

/* An agent, executors, and the thread that waits for the agent's end. */
struct armed {
	pid_t agent;
	struct executor e[EXECUTORS_MAX];
	size_t n_executors;
	struct inject_worker *workers[WORKERS]; /* NULL: by pidfd, without any */
	struct inject_worker *planner;		/* NULL too */
	struct standby *standby;
	struct standby_link links[8];
	size_t n;      /* of these that are given to the thread */
	bool nameless; /* the file cannot be named any more when the list is given */
	bool taken;    /* by the thread */
};

static struct armed_file *file_of(struct armed *a)
{
	struct armed_head head = { .port = 5051, .agent_pid = a->agent, .boot_id = "boot" };
	struct armed_record records[8] = { 0 };
	struct armed_file *file;
	struct error error = { 0 };

	for (size_t i = 0; i < a->n; i++) {
		records[i].pid = a->links[i].request.pid;
		records[i].cookie = a->links[i].request.cookie;
		snprintf(records[i].executor_id, sizeof(records[i].executor_id), "task-%zu", i);
	}
	assert_int_equal(armed_file_new(dir, &head, records, a->n, &file, &error), 0);
	for (size_t i = 0; i < a->n; i++)
		a->links[i].record = &armed_file_records(file)[i];
	return file;
}

static int arm(struct armed *a)
{
	struct armed_file *file = file_of(a);
	struct error error = { 0 };
	char path[64];
	bool locked;

	snprintf(path, sizeof(path), "%s/guard-5051.armed.new", dir);
	if (a->nameless)
		unlink(path);
	return standby_arm(a->standby, a->links, a->n, file, &a->taken, &locked, &error);
}

/* Begins a test: n executors with so many links each. */
static struct armed executors_start(enum manner manner, size_t n, size_t links)
{
	struct armed a = { .n_executors = n };

	need_namespace();
	a.agent = agent_start();
	for (size_t i = 0; i < n; i++) {
		a.e[i] = executor_start(manner, links);
		for (size_t j = 0; j < links; j++)
			a.links[a.n++] =
				(struct standby_link){ .request = target(&a.e[i], j).request,
						       .pidfd = -1 };
	}
	return a;
}

static void thread_start(struct armed *a, size_t n_workers)
{
	const struct standby_options options = { .agent_pid = a->agent,
						 .agent_start = start_of(a->agent),
						 .workers = a->workers,
						 .n_workers = n_workers,
						 .planner = a->planner,
						 .next_listens = next_listens };
	struct error error = { 0 };

	assert_int_equal(standby_new(&options, &a->standby, &error), 0);
}

static struct armed armed_new(size_t n, size_t links)
{
	struct armed a = executors_start(CLOSES, n, links);

	thread_start(&a, 0);
	return a;
}

/* Ends a test. finished: the file is removed. */
static void armed_end(struct armed *a, bool finished)
{
	standby_free(a->standby, finished);
	for (size_t i = 0; i < WORKERS; i++)
		inject_worker_free(a->workers[i]);
	inject_worker_free(a->planner);
	for (size_t i = 0; i < a->n_executors; i++)
		executor_end(&a->e[i]);
}

/* What the next execwatch would find after a SIGKILL: 0 or a negative errno. */
static int file_open(struct armed_file **ret)
{
	struct error error = { 0 };

	return armed_file_open(dir, 5051, ret, &error);
}

/* The agent ends; the states of the links as "done noticed left". */
static const char *states_after_the_end(struct armed *a)
{
	static const char *const names[] = { "waiting",	 "begun",   "done",
					     "not-done", "noticed", "left" };
	static char text[128];
	struct pollfd done = { .fd = standby_fd(a->standby), .events = POLLIN };
	const struct standby_link *links;
	size_t n;

	text[0] = '\0';
	assert_false(standby_acted(a->standby));
	agent_end(a->agent);
	assert_int_equal(poll(&done, 1, 10000), 1);
	assert_true(standby_acted(a->standby));
	links = standby_links(a->standby, &n);
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 names[links[i].state]);
	return text;
}

static void only_those_that_did_not_notice(void **state)
{
	struct armed a = armed_new(3, 1);
	struct armed_file *file;

	(void)state;
	assert_int_equal(arm(&a), 0);
	shutdown(a.e[1].agents[0], SHUT_RDWR); /* it gets the FIN */
	assert_string_equal(states_after_the_end(&a), "done noticed done");

	assert_int_equal(file_open(&file), 0);
	assert_int_equal(armed_file_head(file)->n, 3);
	assert_true(armed_file_head(file)->ended > 0);
	assert_int_equal(armed_file_records(file)[0].state, ARMED_DONE);
	assert_true(armed_file_records(file)[0].begun > 0);
	assert_int_equal(armed_file_records(file)[1].state, ARMED_NOTICED);
	assert_string_equal(armed_file_records(file)[2].executor_id, "task-2");
	armed_file_free(file);
	armed_end(&a, true);
	assert_int_equal(file_open(&file), -ENOENT);
}

/* A process is alive while any of its threads is. */
static void one_whose_first_thread_has_ended(void **state)
{
	struct armed a = executors_start(CLOSES_WITHOUT_FIRST_THREAD, 1, 1);

	(void)state;
	await_end_of_first_thread(&a.e[0]);
	thread_start(&a, 0);
	assert_int_equal(arm(&a), 0);
	assert_string_equal(states_after_the_end(&a), "done");
	armed_end(&a, true);
}

/* By ptrace several at a time, each by a worker of its own, as planned when the list was given. */
static void by_ptrace(void **state)
{
	struct armed a = executors_start(CLOSES, 4, 1);
	const struct standby_link *links;
	size_t n;

	(void)state;
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(inject_worker_new(&a.workers[i]), 0);
	assert_int_equal(inject_worker_new(&a.planner), 0);
	for (size_t i = 0; i < a.n; i++)
		a.links[i].request.method = INJECT_PTRACE;
	thread_start(&a, WORKERS);
	assert_int_equal(arm(&a), 0);
	assert_int_equal(arm(&a), 0); /* plans are taken over */
	assert_string_equal(states_after_the_end(&a), "done done done done");
	links = standby_links(a.standby, &n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(links[i].injected.used, INJECT_PTRACE);
		assert_true(links[i].plan.known);
		assert_int_equal(links[i].injected.tid, links[i].plan.choice.tid);
	}
	armed_end(&a, true);
}

/* Each process has one injector at a time, and no link of it is refused for that. */
static void several_links_of_a_process_by_ptrace(void **state)
{
	struct armed a = executors_start(CLOSES, 4, 2);
	char path[] = "/tmp/ew-claims-XXXXXX";
	int claims = mkostemp(path, O_CLOEXEC);

	(void)state;
	assert_true(claims > 0);
	unlink(path);
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(inject_worker_new(&a.workers[i]), 0);
	for (size_t i = 0; i < a.n; i++) {
		a.links[i].request.method = INJECT_PTRACE;
		a.links[i].request.claims = claims;
	}
	thread_start(&a, WORKERS);
	assert_int_equal(arm(&a), 0);
	assert_string_equal(states_after_the_end(&a), "done done done done done done done done");
	armed_end(&a, true);
	close(claims);
}

/* Disarmed, with a helper thread or without: nothing is done, and nothing is left. */
static void not_after_it_was_disarmed(void **state)
{
	struct armed a = armed_new(1, 1);
	struct armed_file *file;

	(void)state;
	standby_free(a.standby, false);
	thread_start(&a, 2);
	assert_int_equal(arm(&a), 0);
	standby_free(a.standby, true);
	a.standby = NULL;
	agent_end(a.agent);
	assert_false(closed(&a.e[0], 0));
	assert_int_equal(file_open(&file), -ENOENT);
	armed_end(&a, true);
}

static void none_once_a_new_agent_listens(void **state)
{
	struct armed a = armed_new(1, 2);

	(void)state;
	assert_int_equal(arm(&a), 0);
	next_is_there = true;
	assert_string_equal(states_after_the_end(&a), "left left");
	next_is_there = false;
	assert_false(closed(&a.e[0], 0));
	armed_end(&a, true);
}

/* By start time, by cookie: neither is what was planned. */
static void no_other_process_or_socket(void **state)
{
	struct armed a = armed_new(2, 1);

	(void)state;
	a.links[0].request.start++;
	a.links[1].request.cookie++;
	assert_int_equal(arm(&a), 0);
	assert_string_equal(states_after_the_end(&a), "left left");
	assert_false(closed(&a.e[0], 0));
	assert_false(closed(&a.e[1], 0));
	armed_end(&a, true);
}

static void a_later_plan_takes_the_place_of_the_first(void **state)
{
	struct armed a = armed_new(2, 1);

	(void)state;
	a.n = 1;
	assert_int_equal(arm(&a), 0);
	a.n = 2;
	assert_int_equal(arm(&a), 0);
	assert_string_equal(states_after_the_end(&a), "done done");
	armed_end(&a, true);
}

/* It acts by it all the same, and whoever asks must know which list that was. */
static void a_plan_whose_file_cannot_be_named(void **state)
{
	struct armed a = armed_new(2, 1);
	struct armed_file *file;

	(void)state;
	a.n = 1;
	assert_int_equal(arm(&a), 0);
	assert_true(a.taken);
	a.n = 2;
	a.nameless = true;
	assert_int_equal(arm(&a), -ENOENT);
	assert_true(a.taken);
	assert_string_equal(states_after_the_end(&a), "done done");
	armed_end(&a, true);
	/* The file of the first plan would be believed. */
	assert_int_equal(file_open(&file), -ENOENT);
}

static void no_plan_after_the_end(void **state)
{
	struct armed a = armed_new(2, 1);
	struct armed_file *file;

	(void)state;
	a.n = 1;
	assert_int_equal(arm(&a), 0);
	assert_string_equal(states_after_the_end(&a), "done");
	a.n = 2;
	assert_int_equal(arm(&a), -EALREADY);
	assert_false(a.taken);
	assert_int_equal(file_open(&file), 0);
	assert_int_equal(armed_file_head(file)->n, 1);
	assert_int_equal(armed_file_records(file)[0].state, ARMED_DONE);
	armed_file_free(file);
	assert_false(closed(&a.e[1], 0));
	armed_end(&a, false);
	assert_int_equal(file_open(&file), 0); /* it stays */
	armed_file_remove(file);
}

static void an_agent_that_has_ended(void **state)
{
	struct standby_options options = { .agent_pid = getpid(), .agent_start = 1 };
	struct standby *standby;
	struct error error = { 0 };

	(void)state;
	assert_int_equal(standby_new(&options, &standby, &error), -ESRCH);
}

static void count(void *ctx, uint16_t number)
{
	*(unsigned int *)ctx = *(unsigned int *)ctx * 10000 + number;
}

static void no_file_of_another_build(void **state)
{
	struct error error = { 0 };
	struct armed_file *file;
	unsigned int ports = 0;
	char path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/guard-5050.armed", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "EWARMED1", 8), 8);
	close(fd);
	assert_int_equal(armed_file_open(dir, 5050, &file, &error), -EBADMSG);
	armed_file_list(dir, count, &ports);
	assert_int_equal(ports, 5050);
	unlink(path);
}

static int begin(void **state)
{
	return own_namespace(state) < 0 || !mkdtemp(dir) ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_those_that_did_not_notice),
		cmocka_unit_test(one_whose_first_thread_has_ended),
		cmocka_unit_test(by_ptrace),
		cmocka_unit_test(several_links_of_a_process_by_ptrace),
		cmocka_unit_test(not_after_it_was_disarmed),
		cmocka_unit_test(none_once_a_new_agent_listens),
		cmocka_unit_test(no_other_process_or_socket),
		cmocka_unit_test(a_later_plan_takes_the_place_of_the_first),
		cmocka_unit_test(a_plan_whose_file_cannot_be_named),
		cmocka_unit_test(no_plan_after_the_end),
		cmocka_unit_test(an_agent_that_has_ended),
		cmocka_unit_test(no_file_of_another_build),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

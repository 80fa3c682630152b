/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Children that the target forks while it has a duplicate of its descriptor: they inherit a copy,
 * which keeps the connection open after the target's own close. Needs root.
 */
#include "inject_moment.h"

#include "act/inject/inject_copies.h"

/* ---- what a forked child does ---- */

static int target_link;

static void closes_what_it_knows(void)
{
	close(target_link);
}

static void keeps_the_link(void)
{
}

static void executes_a_program(void)
{
	execl("/bin/sleep", "sleep", "1000", NULL);
}

/* The middle one ends; nobody is left to end the last one with, should the test fail. */
static void forks_again_and_ends(void)
{
	close(target_link);
	if (fork() != 0)
		_exit(0);
	alarm(60);
}

static void (*child_does)(void);
static pid_t *forked; /* shared with the target */

/* The first order: a fork. The next one: the close. */
static void fork_then_close(int link)
{
	static bool has_forked;
	pid_t pid;

	if (has_forked) {
		close(link);
		return;
	}
	has_forked = true;
	target_link = link;
	pid = fork();
	if (pid != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_does();
	*forked = getpid();
	for (;;)
		pause();
}

static void order_and_await_fork(const struct tcp_child *child)
{
	order(child);
	for (int i = 0; i < 10000 && !*forked && child_does != executes_a_program; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

struct injected {
	struct tcp_child child;
	struct inject_request request;
	struct inject_result result;
};

/* Injected into, with a fork before the duplicate was checked. kill: the worker, after that. */
static struct injected inject_with_fork(void (*what)(void), bool kill)
{
	struct injected in;
	struct moment m = { .is = at_check,
			    .change = order_and_await_fork,
			    .child = &in.child,
			    .then_kill = kill };

	*forked = 0;
	child_does = what;
	in.child = child_that_does(fork_then_close);
	in.request = request_of(&in.child);
	in.result = inject_while(&m, keep_all);
	assert_int_equal(in.result.dups.n, 1);
	return in;
}

static bool has_fin(const struct injected *in, int timeout_ms)
{
	struct pollfd p = { .fd = in->child.other, .events = POLLRDHUP };

	return poll(&p, 1, timeout_ms) == 1;
}

static struct inject_copies settle(const struct injected *in, bool closed)
{
	struct inject_copies copies;

	inject_copies_settle(&in->request, &in->result.dups, closed, &copies);
	return copies;
}

static void assert_copy(const struct inject_copies *copies, const struct injected *in, int left)
{
	assert_int_equal(copies->n, 1);
	assert_int_equal(copies->left, left);
	assert_int_equal(copies->pid, *forked);
	assert_int_equal(copies->fd, in->result.dups.fd[0]);
}

static void end(struct injected *in)
{
	if (*forked)
		kill(*forked, SIGKILL);
	child_end(&in->child);
}

/* ---- tests ---- */

static void the_connection_is_ended_in_place_of_the_copy(void **state)
{
	struct injected in = inject_with_fork(closes_what_it_knows, false);
	struct inject_copies copies = settle(&in, false);

	(void)state;
	assert_reason(in.result, INJECT_DONE, INJECT_R_NONE);
	assert_copy(&copies, &in, 1);
	order(&in.child);
	assert_false(has_fin(&in, 0)); /* the copy keeps the connection open */
	copies = settle(&in, true);
	assert_copy(&copies, &in, 0);
	assert_int_equal(copies.other, 0);
	assert_true(has_fin(&in, 10 * SECOND_MS));
	end(&in);
}

static void a_child_of_a_child(void **state)
{
	struct injected in = inject_with_fork(forks_again_and_ends, false);
	struct inject_copies copies;

	(void)state;
	order(&in.child);
	copies = settle(&in, true);
	assert_copy(&copies, &in, 0);
	assert_true(has_fin(&in, 10 * SECOND_MS));
	end(&in);
}

/* It would keep the connection open without any injection: that is not ours to end. */
static void a_child_that_uses_the_link(void **state)
{
	struct injected in = inject_with_fork(keeps_the_link, false);
	struct inject_copies copies;

	(void)state;
	order(&in.child);
	copies = settle(&in, true);
	assert_copy(&copies, &in, 1);
	assert_int_equal(copies.other, *forked);
	assert_false(has_fin(&in, 0));
	end(&in);
}

static void a_program_that_is_executed_has_no_copy(void **state)
{
	struct injected in = inject_with_fork(executes_a_program, false);

	(void)state;
	order(&in.child); /* the link itself is open in the program */
	for (int i = 0; i < 10000 && settle(&in, false).n; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_int_equal(settle(&in, false).n, 0);
	end(&in);
}

/* The duplicates are known to the parent of the worker. */
static void the_worker_is_killed(void **state)
{
	struct injected in = inject_with_fork(closes_what_it_knows, true);
	struct inject_copies copies;

	(void)state;
	assert_reason(in.result, INJECT_UNSURE, INJECT_R_KILLED);
	order(&in.child);
	copies = settle(&in, true);
	assert_copy(&copies, &in, 0);
	assert_true(has_fin(&in, 10 * SECOND_MS));
	end(&in);
}

/* Nothing is known of the duplicates: they are found by the socket. */
static void all_of_execwatch_is_killed(void **state)
{
	struct injected in = inject_with_fork(closes_what_it_knows, true);
	struct inject_copies copies;

	(void)state;
	order(&in.child);
	inject_copies_search(&in.request, true, &copies);
	assert_copy(&copies, &in, 0);
	assert_true(has_fin(&in, 10 * SECOND_MS));
	end(&in);
}

static void no_fork_no_copy(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);
	struct inject_copies copies;
	struct inject_result result;

	(void)state;
	result = inject(&t, INJECT_PTRACE);
	assert_reason(result, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(result.dups.n, 1);
	inject_copies_settle(&t, &result.dups, false, &copies);
	assert_int_equal(copies.n, 0);
	assert_int_equal(copies.left, 0);
	/* Where the ids of that time are not known, nothing is said. */
	result.dups.last_pid = 0;
	inject_copies_settle(&t, &result.dups, false, &copies);
	assert_int_equal(copies.n, -1);
	assert_int_equal(copies.left, -1);
	child_end(&child);
}

static void by_pidfd_there_is_nothing_to_inherit(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);
	struct inject_result result = inject(&t, INJECT_PIDFD);

	(void)state;
	assert_reason(result, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(result.dups.n, 0);
	child_end(&child);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_connection_is_ended_in_place_of_the_copy),
		cmocka_unit_test(a_child_of_a_child),
		cmocka_unit_test(a_child_that_uses_the_link),
		cmocka_unit_test(a_program_that_is_executed_has_no_copy),
		cmocka_unit_test(the_worker_is_killed),
		cmocka_unit_test(all_of_execwatch_is_killed),
		cmocka_unit_test(no_fork_no_copy),
		cmocka_unit_test(by_pidfd_there_is_nothing_to_inherit),
	};

	moment_prepare();
	forked = mmap(NULL, sizeof(*forked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (forked == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

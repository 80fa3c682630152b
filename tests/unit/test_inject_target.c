/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Injections into real processes that must succeed without being noticed. Needs root and
 * build/victims.
 */
#include "inject_child.h"

/* ---- done, and not noticed by the victim ---- */

static void inject_victim(const char *kind, enum inject_proof proof)
{
	const char *argv[] = { "build/victims/threads", kind, NULL };
	struct victim_health health;
	struct inject_request t;
	struct inject_result res;
	struct victim v;

	assert_true(victim_start_with(&v, argv, 2, -1));
	victim_ping(&v, 10 * SECOND_MS, &health);
	assert_string_equal(health.detail, "");
	assert_true(victim_await_state(&v, v.page->thread[0].tid, 'S', 10 * SECOND_MS));
	victim_link_target(&v, 1, &t);
	t.proof = proof;
	res = inject(&t, INJECT_PTRACE);
	victim_ping(&v, 10 * SECOND_MS, &health);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(res.used, INJECT_PTRACE);
	assert_int_equal(res.call_ret, 0);
	assert_true(res.stopped_ns > 0 && res.syscalls > 5 && res.tid > 0);
	assert_string_equal(health.detail, "");
	assert_int_equal(victim_links_shut(&v), 1 << 1);
	assert_true(victim_await_descriptors(&v, 1, 1, 10 * SECOND_MS));
	victim_stop(&v);
}

static void unnoticed_in_each_call_it_chooses(void **state)
{
	static const char *const kinds[] = { "futex",	     "registers", "tiles",
					     "futex_bitset", "lock_pi",	  "wait4" };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int proof = INJECT_BY_VALUE; proof <= INJECT_BY_EFFECT; proof++)
			inject_victim(kinds[i], (enum inject_proof)proof);
}

static void unnoticed_beside_every_other_call(void **state)
{
	static const char *const kinds[] = {
		"epoll_wait", "poll",	      "ppoll",	  "select",    "pselect",    "read",
		"recv",	      "recv_timeout", "recv_all", "nanosleep", "sigsuspend", "sigtimedwait",
		"msgrcv",     "semop",	      "accept",	  "flock",     "busy",
	};
	const char *argv[2 + sizeof(kinds) / sizeof(kinds[0])] = { "build/victims/threads" };
	struct victim_health health;
	struct inject_request t;
	struct inject_result res;
	struct victim v;

	(void)state;
	memcpy(argv + 1, kinds, sizeof(kinds));
	assert_true(victim_start(&v, argv));
	victim_target(&v, &t);
	res = inject(&t, INJECT_PTRACE);
	victim_ping(&v, 20 * SECOND_MS, &health);
	victim_stop(&v);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_string_equal(health.detail, "");
	assert_true(health.link_shut);
}

/* A thread in epoll_wait would get EINTR: ptrace is refused, auto uses pidfd. */
static void event_loop_gets_a_copy(void **state)
{
	const char *argv[] = { "build/victims/single", NULL };
	struct victim_health health;
	struct inject_request t;
	struct inject_result res;
	struct victim v;

	(void)state;
	assert_true(victim_start(&v, argv));
	assert_true(victim_await_state(&v, v.pid, 'S', 10 * SECOND_MS));
	victim_target(&v, &t);
	res = inject(&t, INJECT_PTRACE);
	assert_reason(res, INJECT_REFUSED, INJECT_R_NO_THREAD);
	res = inject(&t, INJECT_AUTO);
	victim_ping(&v, 10 * SECOND_MS, &health);
	victim_stop(&v);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(res.used, INJECT_PIDFD);
	assert_string_equal(health.detail, "");
	assert_true(health.link_shut);
}

/* A program without a file: run from a memfd. */
static void program_without_a_name(void **state)
{
	const char *argv[] = { NULL, "futex", NULL };
	int from = open("build/victims/threads", O_RDONLY | O_CLOEXEC);
	char name[] = "/tmp/ew-victim-XXXXXX";
	struct victim_health health;
	struct inject_request t;
	struct inject_result res;
	struct victim v;
	struct stat st;
	int to;

	(void)state;
	to = mkostemp(name, O_CLOEXEC);
	assert_true(from >= 0 && to >= 0);
	fstat(from, &st);
	assert_int_equal(sendfile(to, from, NULL, (size_t)st.st_size), st.st_size);
	fchmod(to, 0700);
	close(to);
	close(from);
	argv[0] = name;
	assert_true(victim_start(&v, argv));
	unlink(name);
	victim_target(&v, &t);
	res = inject(&t, INJECT_PTRACE);
	victim_ping(&v, 10 * SECOND_MS, &health);
	victim_stop(&v);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_string_equal(health.detail, "");
}

/* ---- what the caller and the other end see ---- */

static void body_close_at_eof(int link, int ready)
{
	char c;

	say_ready(ready);
	while (read(link, &c, 1) > 0)
		;
	close(link);
	wait_forever();
}

/* The copy is closed at once: close() by the owner is the last, and sends the FIN. */
static void fin_reaches_the_other_end(void **state)
{
	struct tcp_child child = child_start(body_close_at_eof);
	struct inject_request t = request_of(&child);
	struct pollfd p = { .fd = child.other, .events = POLLIN };
	char c;

	(void)state;
	assert_reason(inject(&t, INJECT_PIDFD), INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(poll(&p, 1, 10 * SECOND_MS), 1);
	assert_int_equal(read(child.other, &c, 1), 0);
	child_end(&child);
}

static volatile sig_atomic_t n_sigchld;

static void count_sigchld(int signo)
{
	(void)signo;
	n_sigchld++;
}

static void caller_gets_no_child_signal(void **state)
{
	struct sigaction count = { .sa_handler = count_sigchld }, old;
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);

	(void)state;
	await_state(child.pid, 'S');
	sigaction(SIGCHLD, &count, &old);
	n_sigchld = 0;
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(n_sigchld, 0);
	sigaction(SIGCHLD, &old, NULL);
	child_end(&child);
}

static void second_time_finds_nothing_to_do(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);

	(void)state;
	await_state(child.pid, 'S');
	assert_reason(inject(&t, INJECT_AUTO), INJECT_DONE, INJECT_R_NONE);
	refused_either_way(&t, INJECT_R_ALREADY_SHUT);
	child_end(&child);
}

static void no_time_left(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);
	struct inject_result res;

	(void)state;
	assert_int_equal(inject_once(&t, INJECT_AUTO, 0, &res), -ETIMEDOUT);
	assert_reason(res, INJECT_REFUSED, INJECT_R_DEADLINE);
	child_end(&child);
}

/*
 * The target puts another socket under the number and then the requested one again, all the time:
 * no method ever touches the other socket, whatever it reports.
 */
static bool inject_swapped(struct victim *v, int link, enum inject_method m)
{
	struct victim_health health;
	struct inject_result res;
	struct inject_request t;
	bool done;

	victim_link_target(v, link, &t);
	v->page->swap_fd = t.fd;
	res = inject(&t, m);
	v->page->swap_fd = 0;
	done = res.status == INJECT_DONE;
	if (!done)
		assert_reason(res, INJECT_REFUSED, INJECT_R_OTHER_SOCKET);
	victim_ping(v, 10 * SECOND_MS, &health);
	assert_string_equal(health.detail, "");
	assert_int_equal(victim_links_shut(v) >> link & 1, done);
	return done;
}

static void never_another_socket(void **state)
{
	const char *argv[] = { "build/victims/threads", "futex", "swap", NULL };
	enum { ROUNDS = 8 };
	unsigned done = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct victim v;

		assert_true(victim_start_with(&v, argv, VICTIM_LINKS, -1));
		for (int i = 0; i < VICTIM_LINKS; i++)
			done += inject_swapped(&v, i, i % 8 ? INJECT_PTRACE : INJECT_PIDFD);
		assert_true(v.page->renewals > 0);
		victim_stop(&v);
	}
	assert_true(done > 0);
}

static void body_leader_ends(int link, int ready)
{
	(void)link;
	start_thread(NULL, ready);
	syscall(SYS_exit, 0); /* this thread alone */
}

/* The first thread has ended, others live: /proc/PID shows a zombie without a memory map. */
static void first_thread_ended(void **state)
{
	struct tcp_child child = child_start(body_leader_ends);
	struct inject_request t = request_of(&child);
	struct pollfd p = { .fd = child.other, .events = POLLRDHUP };
	struct inject_result res;

	(void)state;
	await_state(child.pid, 'Z');
	res = inject(&t, INJECT_PTRACE);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_not_equal(res.tid, child.pid);
	assert_int_equal(poll(&p, 1, 0), 0); /* only shut down for reading: nothing is sent */
	child_end(&child);
}

static void body_name_spaces(int link, int ready)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC) < 0)
		_exit(1);
	body_futex(link, ready);
}

static void other_name_spaces(void **state)
{
	struct tcp_child child = child_start(body_name_spaces);
	struct inject_request t = request_of(&child);

	(void)state;
	await_state(child.pid, 'S');
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	child_end(&child);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unnoticed_in_each_call_it_chooses),
		cmocka_unit_test(unnoticed_beside_every_other_call),
		cmocka_unit_test(event_loop_gets_a_copy),
		cmocka_unit_test(program_without_a_name),
		cmocka_unit_test(fin_reaches_the_other_end),
		cmocka_unit_test(caller_gets_no_child_signal),
		cmocka_unit_test(second_time_finds_nothing_to_do),
		cmocka_unit_test(no_time_left),
		cmocka_unit_test(never_another_socket),
		cmocka_unit_test(first_thread_ended),
		cmocka_unit_test(other_name_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

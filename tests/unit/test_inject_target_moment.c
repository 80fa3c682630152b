/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes during an injection: between the choice of a thread and its stop, or between the last
 * check and the duplicate. Needs root.
 */
#include "inject_moment.h"

#include <linux/capability.h>

/* Refused, the target waits as before, and the link is not shut down. */
static void assert_left_alone(const struct inject_result *got, enum inject_reason reason,
			      const struct tcp_child *child)
{
	struct pollfd p = { .fd = child->other, .events = POLLRDHUP };

	assert_reason(*got, INJECT_REFUSED, reason);
	await_state(child->pid, 'S');
	assert_int_equal(poll(&p, 1, 0), 0);
}

/* ---- the scratch descriptor ---- */

static void nothing(int link)
{
	(void)link;
}

static void lower_limit(const struct tcp_child *child)
{
	const struct rlimit limit = { TABLE / 2, TABLE / 2 };

	assert_int_equal(prlimit(child->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

static void limit_is_lowered(void **state)
{
	struct tcp_child child = child_that_does(nothing);
	size_t before = descriptors_of(child.pid);
	struct inject_result got = inject_and_change(&child, at_dup, lower_limit);

	(void)state;
	assert_left_alone(&got, INJECT_R_NO_SCRATCH_FD, &child);
	assert_int_equal(got.error.code, -EMFILE);
	assert_descriptors(child.pid, before, 10 * SECOND_MS);
	child_end(&child);
}

/* All numbers of the table, the scratch number too. */
static void use_up(int link)
{
	(void)link;
	while (dup(orders[0]) < TABLE - 1)
		;
}

static void assert_all_used(const struct tcp_child *child)
{
	char want[64], is[64];

	file_of(child, orders[0], want, sizeof(want));
	file_of(child, TABLE - 1, is, sizeof(is));
	assert_string_equal(is, want);
	assert_descriptors(child->pid, TABLE + 2, 10 * SECOND_MS); /* and "." and ".." */
}

/* The number that the thread gets instead is closed; then another scratch number is chosen. */
static void number_is_taken(void **state)
{
	struct tcp_child child = child_that_does(use_up);
	struct inject_result got = inject_and_change(&child, at_dup, order);

	(void)state;
	assert_reason(got, INJECT_DONE, INJECT_R_NONE);
	assert_all_used(&child);
	child_end(&child);
}

static void last_number_is_taken(void **state)
{
	struct tcp_child child = child_that_does(use_up);
	const struct rlimit limit = { TABLE, TABLE };
	struct inject_result got;

	(void)state;
	assert_int_equal(prlimit(child.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	got = inject_and_change(&child, at_dup, order);
	assert_left_alone(&got, INJECT_R_NO_SCRATCH_FD, &child);
	assert_int_equal(got.error.code, -EMFILE);
	assert_all_used(&child);
	child_end(&child);
}

/* A program that chooses descriptor numbers itself (dup2). */
enum { ONE_OF_ITS_OWN = 50, ANOTHER_OF_ITS_OWN };

static void change_own(int link)
{
	(void)link;
	dup2(orders[0], ONE_OF_ITS_OWN);
	close(ANOTHER_OF_ITS_OWN);
}

static void body_has_its_own(int link, int ready)
{
	dup2(orders[0], ANOTHER_OF_ITS_OWN);
	body_obeys(link, ready);
}

/* One of these is free at the time of the check, because it has just been closed. */
static void number_is_of_its_own(void **state)
{
	char want[64], is[64];
	struct moment m = { .is = at_dup, .change = order, .then_kill = true };
	struct tcp_child child;
	size_t before;

	(void)state;
	deed = change_own;
	child = child_start(body_has_its_own);
	await_state(child.pid, 'S');
	before = descriptors_of(child.pid);
	m.child = &child;
	assert_reason(inject_while(&m, keep_all), INJECT_FAILED, INJECT_R_KILLED);
	assert_descriptors(child.pid, before, 10 * SECOND_MS);
	file_of(&child, orders[0], want, sizeof(want));
	file_of(&child, ONE_OF_ITS_OWN, is, sizeof(is));
	assert_string_equal(is, want);
	child_end(&child);
}

/* ---- the socket ---- */

static void close_it(int link)
{
	close(link);
}

static void descriptor_is_closed(void **state)
{
	struct tcp_child child = child_that_does(close_it);
	size_t before = descriptors_of(child.pid);
	struct inject_result got = inject_and_change(&child, at_dup, order);

	(void)state;
	assert_reason(got, INJECT_REFUSED, INJECT_R_OTHER_SOCKET);
	await_state(child.pid, 'S');
	assert_descriptors(child.pid, before - 1, 10 * SECOND_MS);
	child_end(&child);
}

static int another[2];

static void replace_it(int link)
{
	dup2(another[0], link);
}

static void descriptor_is_replaced(void **state)
{
	struct pollfd p;
	struct inject_result got;
	struct tcp_child child;
	size_t before;

	(void)state;
	tcp_pair(another);
	p = (struct pollfd){ .fd = another[0], .events = POLLRDHUP };
	child = child_that_does(replace_it);
	before = descriptors_of(child.pid);
	got = inject_and_change(&child, at_dup, order);
	assert_reason(got, INJECT_REFUSED, INJECT_R_OTHER_SOCKET);
	await_state(child.pid, 'S');
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_descriptors(child.pid, before, 10 * SECOND_MS);
	child_end(&child);
	close(another[0]);
	close(another[1]);
}

/* ---- the process ---- */

static void kill_it(const struct tcp_child *child)
{
	kill(child->pid, SIGKILL);
	await_state(child->pid, 'Z');
}

static void target_is_killed_in_the_copy(void **state)
{
	struct tcp_child child = child_that_does(nothing);
	struct inject_result got = inject_and_change(&child, at_check, kill_it);

	(void)state;
	assert_reason(got, INJECT_REFUSED, INJECT_R_VANISHED);
	child_end(&child);
}

/* ---- filters ---- */

static void forbid_shutdown(int link)
{
	(void)link;
	filter_all_threads(SYS_shutdown, SECCOMP_RET_KILL_PROCESS);
}

/* Reading the filters of other threads needs CAP_SYS_ADMIN. */
static void drop_admin(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		_exit(1);
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &head, data) < 0)
		_exit(1);
}

/* Another thread installs it for all (SECCOMP_FILTER_FLAG_TSYNC) after this one was chosen. */
static void filter_comes_from_another_thread(void **state)
{
	void (*const drops[])(void) = { keep_all, drop_admin };

	(void)state;
	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
		struct tcp_child child = child_that_does(forbid_shutdown);
		struct moment m = { .is = at_seize, .change = order, .child = &child };
		struct inject_result got = inject_while(&m, drops[i]);

		assert_left_alone(&got, INJECT_R_SECCOMP, &child);
		child_end(&child);
	}
}

static void no_filter_comes(void **state)
{
	struct tcp_child child = child_that_does(nothing);
	struct moment m = { .is = at_seize, .change = order, .child = &child };

	(void)state;
	assert_reason(inject_while(&m, drop_admin), INJECT_DONE, INJECT_R_NONE);
	child_end(&child);
}

/* ---- signals to the process group of the caller ---- */

struct group_stop {
	pid_t group;
	const struct tcp_child *child;
	unsigned calls; /* of the worker since it has attached */
	unsigned nth;	/* the one before which the group is stopped */
	bool attached, came;
};

/*
 * At the nth system call the whole group gets SIGSTOP and the worker is no longer followed. If it
 * belonged to the group, it would stop while its target is stopped by ptrace.
 */
static bool stop_group(void *arg, const struct follow_call *call)
{
	struct group_stop *stop = arg;

	if (!call->at_entry)
		return true;
	stop->attached |= at_seize(call);
	if (!stop->attached || ++stop->calls != stop->nth)
		return true;
	stop->came = true;
	kill(-stop->group, SIGSTOP);
	ptrace(PTRACE_DETACH, call->subject, NULL, NULL);
	await_state(stop->child->pid, 'S');
	kill(-stop->group, SIGCONT);
	return false;
}

/* False: the injection makes fewer calls than nth. */
static bool stop_group_at(unsigned nth)
{
	struct tcp_child child = child_start(body_futex);
	struct group_stop stop = { .child = &child, .nth = nth };
	struct inject_request t = request_of(&child);
	struct follow f;
	int go[2];

	await_state(child.pid, 'S');
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	stop.group = fork();
	if (stop.group == 0) {
		struct inject_result result;
		char c;

		setpgid(0, 0);
		if (read(go[0], &c, 1) == 1)
			inject_once(&t, INJECT_PTRACE, 60 * SECOND_MS, &result);
		_exit(0);
	}
	setpgid(stop.group, stop.group);
	follow_start(&f, stop.group, true, stop_group, &stop);
	assert_int_equal(write(go[1], "", 1), 1);
	follow_to_end(&f);
	close(go[0]);
	close(go[1]);
	await_state(child.pid, 'S');
	child_end(&child);
	return stop.came;
}

/* As by kill -STOP to a job of the shell: no thread of the target is left stopped. */
static void group_is_stopped_at_any_call(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (stop_group_at(nth))
		nth++;
	assert_true(nth > 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(limit_is_lowered),
		cmocka_unit_test(number_is_taken),
		cmocka_unit_test(last_number_is_taken),
		cmocka_unit_test(number_is_of_its_own),
		cmocka_unit_test(descriptor_is_closed),
		cmocka_unit_test(descriptor_is_replaced),
		cmocka_unit_test(target_is_killed_in_the_copy),
		cmocka_unit_test(filter_comes_from_another_thread),
		cmocka_unit_test(no_filter_comes),
		cmocka_unit_test(group_is_stopped_at_any_call),
	};

	moment_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

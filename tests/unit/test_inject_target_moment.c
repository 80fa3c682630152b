/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes during an injection: between the choice of a thread and its stop, or between the last
 * check and the duplicate. The worker is followed by ptrace to that system call and stopped there
 * while the target is changed. Needs root.
 */
#include "inject_child.h"

#include <linux/capability.h>

#include "follow.h"

/* ---- a target with two threads: one executes orders, the other one is chosen ---- */

enum { TABLE = 64 }; /* the smallest possible one */

static int orders[2], answers[2];
static void (*deed)(int link);

static void *obey(void *arg)
{
	char c;

	while (read(orders[0], &c, 1) == 1) {
		deed(*(int *)arg);
		if (write(answers[1], "", 1) != 1)
			break;
	}
	return NULL;
}

static void body_obeys(int link, int ready)
{
	pthread_t thread;

	pthread_create(&thread, NULL, obey, &link);
	say_ready(ready);
	wait_forever();
}

static struct tcp_child child_that_does(void (*what)(int link))
{
	struct tcp_child child;

	deed = what;
	child = child_start(body_obeys);
	await_state(child.pid, 'S');
	return child;
}

static void order(const struct tcp_child *child)
{
	char c;

	(void)child;
	assert_int_equal(write(orders[1], "", 1), 1);
	await_ready(answers[0]);
	assert_int_equal(read(answers[0], &c, 1), 1);
}

static void file_of(const struct tcp_child *child, int fd, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", child->pid, fd);
	n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

/* ---- changing the target at one system call of the worker ---- */

struct moment {
	bool (*is)(const struct follow_call *call);
	void (*change)(const struct tcp_child *child);
	const struct tcp_child *child;
	bool came;
	bool then_kill; /* the worker, before it acts on what the duplicate is */
};

/* The worker is about to stop the thread. */
static bool at_seize(const struct follow_call *call)
{
	return call->nr == SYS_ptrace && call->arg[0] == PTRACE_SEIZE;
}

/* All has been checked: the stopped thread is about to duplicate the descriptor. */
static bool at_dup(const struct follow_call *call)
{
	return call->nr == SYS_ptrace && call->arg[0] == PTRACE_SETREGSET;
}

/* It has duplicated the descriptor: the worker is about to check that. */
static bool at_check(const struct follow_call *call)
{
	return call->nr == SYS_kcmp;
}

static bool change_once(void *arg, const struct follow_call *call)
{
	struct moment *m = arg;

	if (!call->at_entry)
		return true;
	if (!m->came && m->is(call)) {
		m->came = true;
		m->change(m->child);
	} else if (m->came && m->then_kill && (at_dup(call) || at_check(call))) {
		kill(call->subject, SIGKILL);
		return false;
	}
	return true;
}

static void keep_all(void)
{
}

/* By ptrace, from a process of its own, which first calls drop(). */
static struct inject_result inject_while(struct moment *m, void (*drop)(void))
{
	struct inject_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct inject_request t = request_of(m->child);
	struct inject_result got;
	struct follow f;
	int go[2];
	pid_t pid;

	t.proof = INJECT_BY_VALUE;
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		drop();
		if (read(go[0], &c, 1) == 1)
			inject_once(&t, INJECT_PTRACE, 10 * SECOND_MS, shared);
		_exit(0);
	}
	follow_start(&f, pid, true, change_once, m);
	assert_int_equal(write(go[1], "", 1), 1);
	follow_to_end(&f);
	close(go[0]);
	close(go[1]);
	assert_true(m->came);
	got = *shared;
	munmap(shared, sizeof(*shared));
	return got;
}

static struct inject_result inject_and_change(const struct tcp_child *child,
					      bool (*is)(const struct follow_call *call),
					      void (*change)(const struct tcp_child *child))
{
	struct moment m = { .is = is, .change = change, .child = child };

	return inject_while(&m, keep_all);
}

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

	close_range(3, ~0u, 0); /* inherited descriptors may need a larger table */
	if (pipe(orders) < 0 || pipe(answers) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

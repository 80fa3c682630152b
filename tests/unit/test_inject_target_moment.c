/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What changes in the very moment of an injection: between the choice and the stop, or between the
 * last check and the copy. The worker is followed by ptrace to that call, and held there
 * while the target is changed. Needs root.
 */
#include "inject_kid.h"

#include <linux/capability.h>

#include "follow.h"

/* ---- a target with a thread that takes orders; the other is the one that is chosen ---- */

enum { TABLE = 64 }; /* the smallest there is */

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

static struct kid kid_that_does(void (*what)(int link))
{
	struct kid kid;

	deed = what;
	kid = kid_start(body_obeys);
	await_state(kid.pid, 'S');
	return kid;
}

static void order(const struct kid *kid)
{
	char c;

	(void)kid;
	assert_int_equal(write(orders[1], "", 1), 1);
	await_ready(answers[0]);
	assert_int_equal(read(answers[0], &c, 1), 1);
}

static void file_of(const struct kid *kid, int fd, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", kid->pid, fd);
	n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

/* ---- the moment ---- */

struct moment {
	bool (*is)(const struct follow_call *call);
	void (*change)(const struct kid *kid);
	const struct kid *kid;
	bool came;
	bool then_kill; /* the worker, before it does anything about what the copy is */
};

/* The thread is to be stopped next. */
static bool at_seize(const struct follow_call *call)
{
	return call->nr == SYS_ptrace && call->arg[0] == PTRACE_SEIZE;
}

/* It is stopped, all has been checked: it is to make its copy next. */
static bool at_take(const struct follow_call *call)
{
	return call->nr == SYS_ptrace && call->arg[0] == PTRACE_SETREGSET;
}

/* It has made its copy, which is to be looked at next. */
static bool at_look(const struct follow_call *call)
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
		m->change(m->kid);
	} else if (m->came && m->then_kill && (at_take(call) || at_look(call))) {
		kill(call->subject, SIGKILL);
		return false;
	}
	return true;
}

static void keep_all(void)
{
}

/* By ptrace, from a process of its own that has first given up what drop() says. */
static struct inject_result inject_while(struct moment *m, void (*drop)(void))
{
	struct inject_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct inject_request t = request_of(m->kid);
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

static struct inject_result inject_and_change(const struct kid *kid,
					      bool (*is)(const struct follow_call *call),
					      void (*change)(const struct kid *kid))
{
	struct moment m = { .is = is, .change = change, .kid = kid };

	return inject_while(&m, keep_all);
}

/* Refused, the target waits again as if nothing had been, and the link is whole. */
static void assert_left_alone(const struct inject_result *got, enum inject_reason reason,
			      const struct kid *kid)
{
	struct pollfd p = { .fd = kid->other, .events = POLLRDHUP };

	assert_reason(*got, INJECT_REFUSED, reason);
	await_state(kid->pid, 'S');
	assert_int_equal(poll(&p, 1, 0), 0);
}

/* ---- the spare number ---- */

static void nothing(int link)
{
	(void)link;
}

static void lower_limit(const struct kid *kid)
{
	const struct rlimit limit = { TABLE / 2, TABLE / 2 };

	assert_int_equal(prlimit(kid->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

static void limit_is_lowered(void **state)
{
	struct kid kid = kid_that_does(nothing);
	size_t before = descriptors_of(kid.pid);
	struct inject_result got = inject_and_change(&kid, at_take, lower_limit);

	(void)state;
	assert_left_alone(&got, INJECT_R_NO_SCRATCH_FD, &kid);
	assert_int_equal(got.error.code, -EMFILE);
	assert_descriptors(kid.pid, before, 10 * SECOND_MS);
	kid_end(&kid);
}

/* The whole table as it is then, the spare number too. */
static void use_up(int link)
{
	(void)link;
	while (dup(orders[0]) < TABLE - 1)
		;
}

static void assert_all_used(const struct kid *kid)
{
	char want[64], is[64];

	file_of(kid, orders[0], want, sizeof(want));
	file_of(kid, TABLE - 1, is, sizeof(is));
	assert_string_equal(is, want);
	assert_descriptors(kid->pid, TABLE + 2, 10 * SECOND_MS); /* and "." and ".." */
}

/* What the thread got instead is closed; another number is chosen then. */
static void number_is_taken(void **state)
{
	struct kid kid = kid_that_does(use_up);
	struct inject_result got = inject_and_change(&kid, at_take, order);

	(void)state;
	assert_reason(got, INJECT_DONE, INJECT_R_NONE);
	assert_all_used(&kid);
	kid_end(&kid);
}

static void last_number_is_taken(void **state)
{
	struct kid kid = kid_that_does(use_up);
	const struct rlimit limit = { TABLE, TABLE };
	struct inject_result got;

	(void)state;
	assert_int_equal(prlimit(kid.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	got = inject_and_change(&kid, at_take, order);
	assert_left_alone(&got, INJECT_R_NO_SCRATCH_FD, &kid);
	assert_int_equal(got.error.code, -EMFILE);
	assert_all_used(&kid);
	kid_end(&kid);
}

/* A program that gives numbers of its own choice to what it opens. */
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

/* One is free when it is looked at, for it has just been closed. */
static void number_is_of_its_own(void **state)
{
	char want[64], is[64];
	struct moment m = { .is = at_take, .change = order, .then_kill = true };
	struct kid kid;
	size_t before;

	(void)state;
	deed = change_own;
	kid = kid_start(body_has_its_own);
	await_state(kid.pid, 'S');
	before = descriptors_of(kid.pid);
	m.kid = &kid;
	assert_reason(inject_while(&m, keep_all), INJECT_FAILED, INJECT_R_KILLED);
	assert_descriptors(kid.pid, before, 10 * SECOND_MS);
	file_of(&kid, orders[0], want, sizeof(want));
	file_of(&kid, ONE_OF_ITS_OWN, is, sizeof(is));
	assert_string_equal(is, want);
	kid_end(&kid);
}

/* ---- the socket ---- */

static void close_it(int link)
{
	close(link);
}

static void descriptor_is_closed(void **state)
{
	struct kid kid = kid_that_does(close_it);
	size_t before = descriptors_of(kid.pid);
	struct inject_result got = inject_and_change(&kid, at_take, order);

	(void)state;
	assert_reason(got, INJECT_REFUSED, INJECT_R_OTHER_SOCKET);
	await_state(kid.pid, 'S');
	assert_descriptors(kid.pid, before - 1, 10 * SECOND_MS);
	kid_end(&kid);
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
	struct kid kid;
	size_t before;

	(void)state;
	tcp_pair(another);
	p = (struct pollfd){ .fd = another[0], .events = POLLRDHUP };
	kid = kid_that_does(replace_it);
	before = descriptors_of(kid.pid);
	got = inject_and_change(&kid, at_take, order);
	assert_reason(got, INJECT_REFUSED, INJECT_R_OTHER_SOCKET);
	await_state(kid.pid, 'S');
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_descriptors(kid.pid, before, 10 * SECOND_MS);
	kid_end(&kid);
	close(another[0]);
	close(another[1]);
}

/* ---- the process ---- */

static void kill_it(const struct kid *kid)
{
	kill(kid->pid, SIGKILL);
	await_state(kid->pid, 'Z');
}

static void target_is_killed_in_the_copy(void **state)
{
	struct kid kid = kid_that_does(nothing);
	struct inject_result got = inject_and_change(&kid, at_look, kill_it);

	(void)state;
	assert_reason(got, INJECT_REFUSED, INJECT_R_VANISHED);
	kid_end(&kid);
}

/* ---- filters ---- */

static void forbid_shutdown(int link)
{
	(void)link;
	filter_all_threads(SYS_shutdown, SECCOMP_RET_KILL_PROCESS);
}

/* Other threads' filters can be read by CAP_SYS_ADMIN alone. */
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
		struct kid kid = kid_that_does(forbid_shutdown);
		struct moment m = { .is = at_seize, .change = order, .kid = &kid };
		struct inject_result got = inject_while(&m, drops[i]);

		assert_left_alone(&got, INJECT_R_SECCOMP, &kid);
		kid_end(&kid);
	}
}

static void no_filter_comes(void **state)
{
	struct kid kid = kid_that_does(nothing);
	struct moment m = { .is = at_seize, .change = order, .kid = &kid };

	(void)state;
	assert_reason(inject_while(&m, drop_admin), INJECT_DONE, INJECT_R_NONE);
	kid_end(&kid);
}

/* ---- signals to the process group of the caller ---- */

struct group_stop {
	pid_t group;
	const struct kid *kid;
	unsigned calls; /* of the worker since it has attached */
	unsigned nth;	/* the one before which the group is stopped; 0: none has come yet */
	bool attached, came;
};

/*
 * At the nth call the worker is no longer followed and the whole group gets SIGSTOP: a worker that
 * belongs to the group stops with its target in its hands.
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
	await_state(stop->kid->pid, 'S');
	kill(-stop->group, SIGCONT);
	return false;
}

/* False: the injection makes fewer calls than nth. */
static bool stop_group_at(unsigned nth)
{
	struct kid kid = kid_start(body_futex);
	struct group_stop stop = { .kid = &kid, .nth = nth };
	struct inject_request t = request_of(&kid);
	struct follow f;
	int go[2];

	await_state(kid.pid, 'S');
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
	await_state(kid.pid, 'S');
	kid_end(&kid);
	return stop.came;
}

/* As an operator does it by Ctrl-Z or kill -STOP: no thread of the target is left stopped. */
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

	close_range(3, ~0u, 0); /* what this process was started with may need a larger table */
	if (pipe(orders) < 0 || pipe(answers) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

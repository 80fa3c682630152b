/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For tests that change a target during an injection: the worker is followed by ptrace to a system
 * call and stopped there while the target is changed. Included by these tests only, hence static.
 */
#ifndef EW_INJECT_MOMENT_H
#define EW_INJECT_MOMENT_H

#include "inject_child.h"

#include "follow.h"

/* ---- a target with two threads: one executes orders, the other one is chosen ---- */

enum { TABLE = 64 }; /* the smallest possible one */

static int orders[2], answers[2];
static void (*deed)(int link);

static inline void *obey(void *arg)
{
	char c;

	while (read(orders[0], &c, 1) == 1) {
		deed(*(int *)arg);
		if (write(answers[1], "", 1) != 1)
			break;
	}
	return NULL;
}

static inline void body_obeys(int link, int ready)
{
	pthread_t thread;

	pthread_create(&thread, NULL, obey, &link);
	say_ready(ready);
	wait_forever();
}

static inline struct tcp_child child_that_does(void (*what)(int link))
{
	struct tcp_child child;

	deed = what;
	child = child_start(body_obeys);
	await_state(child.pid, 'S');
	return child;
}

static inline void order(const struct tcp_child *child)
{
	char c;

	(void)child;
	assert_int_equal(write(orders[1], "", 1), 1);
	await_ready(answers[0]);
	assert_int_equal(read(answers[0], &c, 1), 1);
}

static inline void file_of(const struct tcp_child *child, int fd, char *buf, size_t size)
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
static inline bool at_seize(const struct follow_call *call)
{
	return call->nr == SYS_ptrace && call->arg[0] == PTRACE_SEIZE;
}

/* All has been checked: the stopped thread is about to duplicate the descriptor. */
static inline bool at_dup(const struct follow_call *call)
{
	return call->nr == SYS_ptrace && call->arg[0] == PTRACE_SETREGSET;
}

/* It has duplicated the descriptor: the worker is about to check that. */
static inline bool at_check(const struct follow_call *call)
{
	return call->nr == SYS_kcmp;
}

static inline bool change_once(void *arg, const struct follow_call *call)
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

static inline void keep_all(void)
{
}

/* By ptrace, from a process of its own, which first calls drop(). */
static inline struct inject_result inject_while(struct moment *m, void (*drop)(void))
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

static inline struct inject_result inject_and_change(const struct tcp_child *child,
						     bool (*is)(const struct follow_call *call),
						     void (*change)(const struct tcp_child *child))
{
	struct moment m = { .is = is, .change = change, .child = child };

	return inject_while(&m, keep_all);
}

/* First in main(): inherited descriptors may need a larger table. */
static inline void moment_prepare(void)
{
	close_range(3, ~0u, 0);
	if (pipe(orders) < 0 || pipe(answers) < 0)
		_exit(1);
}

#endif

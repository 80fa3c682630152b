/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A worker that is stuck in the kernel while it works on a process, and whose parent is gone: the
 * acting lock is free, and whoever acts next leaves that process alone, and no other. Needs root.
 *
 * The worker is kept at its exit by a tracer: killed, with all its descriptors and locks, but not
 * gone, as if it were in an uninterruptible wait.
 */
#include "inject_child.h"

#include "act/inject/inject_claims.h"
#include "act/lock.h"

static char dir[] = "/tmp/ew-claims-XXXXXX";

enum { AT_CALL = SIGTRAP | 0x80, AT_EXIT = SIGTRAP | PTRACE_EVENT_EXIT << 8 };

/* A process that takes the lock, and injects once it is told to. */
static pid_t actor_start(const struct tcp_child *target, int go[2])
{
	pid_t pid;

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct inject_request request = request_of(target);
		struct inject_result result;
		char byte;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (act_lock_take(dir, "acting", &request.claims, NULL) == 0 &&
		    read(go[0], &byte, 1) == 1)
			inject_once(&request, INJECT_PTRACE, 60 * SECOND_MS, &result);
		_exit(1);
	}
	return pid;
}

/* Is the stopped worker about to seize its target? */
static bool is_at_seize(pid_t worker)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, worker, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_ptrace &&
	       info.entry.args[0] == PTRACE_SEIZE;
}

/* Follows the actor's worker until it is about to seize its target, and keeps it there. */
static pid_t follow_to_seize(pid_t actor, int go)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, actor, 0, PTRACE_O_TRACECLONE), 0);
	assert_int_equal(write(go, "", 1), 1);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		assert_true(WIFSTOPPED(status));
		if (pid == actor) {
			ptrace(PTRACE_CONT, pid, 0, 0);
			continue;
		}
		if (WSTOPSIG(status) == AT_CALL && is_at_seize(pid))
			return pid;
		ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT);
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
	}
}

/* Returns the worker, killed but not gone. */
static pid_t stuck_worker(const struct tcp_child *target)
{
	int go[2], status;
	pid_t actor = actor_start(target, go), worker = follow_to_seize(actor, go[1]);

	kill(actor, SIGKILL);
	assert_int_equal(waitpid(actor, &status, 0), actor);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(waitpid(worker, &status, __WALL), worker);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(status >> 8, AT_EXIT);
	close(go[0]);
	close(go[1]);
	return worker;
}

static void let_go(pid_t worker)
{
	assert_int_equal(ptrace(PTRACE_CONT, worker, 0, 0), 0);
	while (kill(worker, 0) == 0)
		waitpid(worker, NULL, __WALL);
}

static void only_its_target_is_left_alone(void **state)
{
	struct tcp_child target = child_start(body_futex), other = child_start(body_futex);
	struct inject_request request = request_of(&target);
	pid_t holder = 0, worker = stuck_worker(&target);
	struct inject_result result;
	char named[64];

	(void)state;
	assert_int_equal(act_lock_take(dir, "acting", &request.claims, NULL), 0);
	assert_int_equal(inject_claims_next(request.claims, 0, &holder), target.pid);
	assert_int_equal(holder, worker);
	assert_int_equal(inject_claims_next(request.claims, target.pid, &holder), 0);

	for (int m = INJECT_AUTO; m <= INJECT_PIDFD; m++) {
		result = inject(&request, (enum inject_method)m);
		assert_reason(result, INJECT_REFUSED, INJECT_R_CLAIMED);
		snprintf(named, sizeof(named), "(process %d)", worker);
		assert_non_null(strstr(result.error.message, named));
	}
	request = request_of(&other);
	assert_int_equal(inject(&request, INJECT_PTRACE).status, INJECT_DONE);

	let_go(worker);
	request = request_of(&target);
	assert_int_equal(inject(&request, INJECT_PTRACE).status, INJECT_DONE);
	child_end(&target);
	child_end(&other);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/acting.lock", dir);
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_target_is_left_alone),
	};

	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, begin, end);
}

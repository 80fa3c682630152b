/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One worker, many targets: what one injection keeps for the next, and what it must not keep. */
#include "inject_child.h"

#include <sys/time.h>

enum { SERIES = 3, FATES = 20 };

static struct inject_worker *worker_of_test(void)
{
	struct inject_worker *worker;

	assert_int_equal(inject_worker_new(&worker), 0);
	return worker;
}

static struct inject_result inject_by(struct inject_worker *worker, const struct tcp_child *child,
				      int64_t limit_ns)
{
	struct inject_request t = request_of(child);
	struct inject_result res;

	t.method = INJECT_PTRACE;
	t.deadline = now_mono() + limit_ns;
	inject_shutdown(worker, &t, &res);
	return res;
}

static void assert_treated(struct inject_worker *worker, const struct tcp_child *child)
{
	await_state(child->pid, 'S');
	assert_reason(inject_by(worker, child, 5 * NS_PER_S), INJECT_DONE, INJECT_R_NONE);
	await_state(child->pid, 'S');
}

/* No copy of the child's socket is left when the child has ended. */
static void assert_end_of_file(const struct tcp_child *child)
{
	struct pollfd p = { .fd = child->other, .events = POLLRDHUP };

	assert_int_equal(poll(&p, 1, 10 * SECOND_MS), 1);
}

static void each_is_treated_and_let_go(void **state)
{
	struct inject_worker *worker = worker_of_test();

	(void)state;
	for (int i = 0; i < SERIES; i++) {
		struct tcp_child child = child_start(body_futex);

		assert_treated(worker, &child);
		kill(child.pid, SIGKILL);
		assert_end_of_file(&child);
		child_end(&child);
	}
	inject_worker_free(worker);
}

/* The child of this process that is not the child. */
static pid_t other_child(pid_t child)
{
	char path[64], text[256] = "";
	pid_t first, second;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", gettid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	n = sscanf(text, "%d %d", &first, &second);
	assert_int_equal(n, 2);
	return first == child ? second : first;
}

static void child_that_was_killed_is_replaced(void **state)
{
	struct inject_worker *worker = worker_of_test();
	struct tcp_child child = child_start(body_futex), next;
	pid_t worker_pid;

	(void)state;
	assert_treated(worker, &child);
	worker_pid = other_child(child.pid);
	child_end(&child);
	kill(worker_pid, SIGKILL);
	await_state(worker_pid, 'Z');
	next = child_start(body_futex);
	assert_treated(worker, &next);
	child_end(&next);
	inject_worker_free(worker);
}

/* A deadline may end the child at any moment of an injection. */
static void deadline_of_one_is_not_that_of_the_next(void **state)
{
	struct inject_worker *worker = worker_of_test();

	(void)state;
	for (unsigned i = 1; i <= FATES; i++) {
		struct tcp_child late = child_start(body_futex), next = child_start(body_futex);

		await_state(late.pid, 'S');
		inject_by(worker, &late, i * INT64_C(50000));
		await_state(late.pid, 'S');
		assert_treated(worker, &next);
		kill(late.pid, SIGKILL);
		assert_end_of_file(&late);
		child_end(&late);
		child_end(&next);
	}
	inject_worker_free(worker);
}

static void end_after(pid_t pid, unsigned us)
{
	int64_t end = now_mono() + us * INT64_C(1000);

	if (fork() != 0)
		return;
	while (now_mono() < end)
		;
	kill(pid, SIGKILL);
	_exit(0);
}

/* Its parent can reap it, whatever its thread was made to do at that moment. */
static void assert_reaped(pid_t pid)
{
	int64_t end = now_mono() + 10 * NS_PER_S;
	pid_t got;

	while ((got = waitpid(pid, NULL, WNOHANG)) == 0 && now_mono() < end)
		sched_yield();
	assert_int_equal(got, pid);
}

static void target_that_ends_is_let_go_of(void **state)
{
	struct inject_worker *worker = worker_of_test();

	(void)state;
	for (unsigned us = 0; us < 1500; us += 15) {
		struct tcp_child child = child_start(body_futex);

		await_state(child.pid, 'S');
		end_after(child.pid, us);
		inject_by(worker, &child, 5 * NS_PER_S);
		assert_reaped(child.pid);
		assert_true(waitpid(-1, NULL, 0) > 0); /* the process that killed it */
		close(child.ready);
		close(child.other);
	}
	inject_worker_free(worker);
}

static sigjmp_buf anew;

static void leave_handler(int signal)
{
	(void)signal;
	siglongjmp(anew, 1);
}

/* A handler that does not return takes it out of its wait 1,100 times a second. */
static void body_longjmp(int link, int ready)
{
	struct itimerval often = { { 0, 900 }, { 0, 900 } };

	(void)link;
	signal(SIGALRM, leave_handler);
	sigsetjmp(anew, 1);
	setitimer(ITIMER_REAL, &often, NULL);
	if (ready >= 0)
		say_ready(ready);
	ready = -1;
	wait_forever();
}

static void handler_that_does_not_return_leaves_no_copy(void **state)
{
	struct inject_worker *worker = worker_of_test();

	(void)state;
	for (int i = 0; i < 150; i++) {
		struct tcp_child child = child_start(body_longjmp);
		size_t before = descriptors_of(child.pid);

		inject_by(worker, &child, NS_PER_S);
		assert_descriptors(child.pid, before, 2 * SECOND_MS);
		child_end(&child);
	}
	inject_worker_free(worker);
}

/* ---- signals ---- */

enum { LINKS = 200 };

/* Shared by the test, the target and the sender. */
struct post {
	_Atomic bool over;
	_Atomic int sent, heard, out_of_order;
};
static struct post *post;

static void hear(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	if (info->si_value.sival_int != post->heard)
		post->out_of_order++;
	post->heard++;
}

static void body_hears(int link, int ready)
{
	struct sigaction action = { .sa_sigaction = hear, .sa_flags = SA_SIGINFO | SA_RESTART };

	sigaction(SIGRTMIN, &action, NULL);
	body_futex(link, ready);
}

/*
 * Sends signals until post->over, for a minute at most. Between two signals the target is in its
 * wait for a moment.
 */
static pid_t start_sender(pid_t pid)
{
	pid_t sender = fork();

	if (sender != 0)
		return sender;
	alarm(60);
	while (!post->over) {
		struct timespec nap = { .tv_nsec = 20000 };

		if (sigqueue(pid, SIGRTMIN, (union sigval){ .sival_int = post->sent }) == 0)
			post->sent++;
		nanosleep(&nap, NULL);
	}
	_exit(0);
}

static void signals_arrive_all_and_in_order(void **state)
{
	struct inject_worker *worker = worker_of_test();
	int link[LINKS], other[LINKS], treated = 0;
	int64_t end;
	struct tcp_child child;
	pid_t sender;

	(void)state;
	post = mmap(NULL, sizeof(*post), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < LINKS; i++) {
		int fds[2];

		tcp_pair(fds); /* the child inherits them all */
		link[i] = fds[0];
		other[i] = fds[1];
	}
	child = child_start(body_hears);
	sender = start_sender(child.pid);
	for (int i = 0; i < LINKS; i++) {
		struct tcp_child one = { .pid = child.pid, .link = link[i] };
		struct stat st;

		assert_int_equal(fstat(link[i], &st), 0);
		one.inode = st.st_ino;
		treated += inject_by(worker, &one, 5 * NS_PER_S).status == INJECT_DONE;
		close(link[i]);
		close(other[i]);
	}
	post->over = true;
	waitpid(sender, NULL, 0);
	end = now_mono() + 10 * NS_PER_S;
	while (post->heard < post->sent && now_mono() < end)
		sched_yield();
	assert_int_equal(post->heard, post->sent);
	assert_int_equal(post->out_of_order, 0);
	assert_true(treated > 0);
	child_end(&child);
	inject_worker_free(worker);
	munmap(post, sizeof(*post));
}

static void child_ends_with_its_worker(void **state)
{
	struct inject_worker *worker = worker_of_test();
	struct tcp_child child = child_start(body_futex);
	pid_t worker_pid;

	(void)state;
	assert_treated(worker, &child);
	worker_pid = other_child(child.pid);
	inject_worker_free(worker);
	assert_int_equal(kill(worker_pid, 0), -1);
	child_end(&child);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_treated_and_let_go),
		cmocka_unit_test(child_that_was_killed_is_replaced),
		cmocka_unit_test(deadline_of_one_is_not_that_of_the_next),
		cmocka_unit_test(target_that_ends_is_let_go_of),
		cmocka_unit_test(handler_that_does_not_return_leaves_no_copy),
		cmocka_unit_test(signals_arrive_all_and_in_order),
		cmocka_unit_test(child_ends_with_its_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

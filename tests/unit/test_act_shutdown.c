/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Targets that are begun: done or failed, and logged before. */
#include "act_node.h"

#include <time.h>

#include "base/proc.h"

static void done_by_each_method(void **state)
{
	static const enum inject_method methods[] = { INJECT_AUTO, INJECT_PTRACE, INJECT_PIDFD };

	(void)state;
	need_namespace();
	for (size_t i = 0; i < 3; i++) {
		struct executor e = executor_start(CLOSES, 1);
		struct shutdown_target t = target(&e, 0);
		struct heard h;

		t.request.method = methods[i];
		h = treat(&t, 1, &no_options);

		assert_int_equal(h.intents, 1);
		assert_int_equal(h.n, 1);
		if (strcmp(h.v[0].result, "done") != 0)
			fail_msg("%s: %s", inject_method_name(methods[i]), h.v[0].reason);
		assert_string_equal(h.v[0].reason_id, "");
		assert_true(h.v[0].effect > 0);
		assert_string_equal(
			h.v[0].method,
			inject_method_name(methods[i] == INJECT_AUTO ? INJECT_PTRACE : methods[i]));
		if (methods[i] == INJECT_PIDFD) {
			assert_int_equal(h.v[0].stopped, -1);
			assert_int_equal(h.v[0].interrupted, -1);
		} else {
			assert_true(h.v[0].stopped > 0);
			assert_true(h.v[0].interrupted > h.v[0].stopped);
		}
		assert_int_equal(h.v[0].copies, 0);
		assert_int_equal(h.v[0].copies_left, 0);
		assert_true(closed(&e, 0));
		assert_int_equal(kill(e.pid, 0), 0);
		h = treat(&t, 1, &no_options); /* again: the socket is gone */
		assert_string_equal(h.v[0].result, "refused");
		executor_end(&e);
	}
}

/* A process is alive while any of its threads is: the act is proved by the socket alone. */
static void done_where_the_first_thread_has_ended(void **state)
{
	static const enum inject_method methods[] = { INJECT_PTRACE, INJECT_PIDFD };

	(void)state;
	need_namespace();
	for (size_t i = 0; i < 2; i++) {
		struct executor e = executor_start(CLOSES_WITHOUT_FIRST_THREAD, 1);
		struct shutdown_target t = target(&e, 0);
		struct heard h;

		await_end_of_first_thread(&e);
		t.request.method = methods[i];
		h = treat(&t, 1, &no_options);
		assert_int_equal(h.n, 1);
		assert_string_equal(h.v[0].reason, "");
		assert_string_equal(h.v[0].result, "done");
		assert_string_equal(h.v[0].method, inject_method_name(methods[i]));
		assert_true(closed(&e, 0));
		executor_end(&e);
	}
}

/* ---- one that is slow to close its socket, and many after it ---- */

enum { MANY = 20, SLOW_CLOSES = 12, SLOW_IS_TOLD = 14 };
static bool told_in_time;

static void await_slow_one(void *ctx, size_t done, size_t n)
{
	const struct executor *slow = ctx;
	struct pollfd p = { .fd = slow->agents[0], .events = POLLIN };
	struct timespec pause = { .tv_nsec = 20000000 };

	assert_int_equal(n, MANY);
	if (done == SLOW_CLOSES) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		nanosleep(&pause, NULL);
	} else if (done == SLOW_IS_TOLD) {
		for (size_t i = 0; i < n_told; i++)
			told_in_time |= told_pids[i] == slow->pid;
	}
}

/* Its time is that of its close, not that of the end of all injections. */
static void a_slow_one_is_seen_while_others_are_treated(void **state)
{
	struct executor e[MANY];
	struct shutdown_target t[MANY];
	struct shutdown_options options = { .progress = await_slow_one, .ctx = &e[0] };
	struct heard h;

	(void)state;
	need_namespace();
	for (int i = 0; i < MANY; i++) {
		e[i] = executor_start(i ? CLOSES : CLOSES_ALL_SLOWLY, 1);
		t[i] = target(&e[i], 0);
	}
	n_told = 0;
	h = treat(t, MANY, &options);
	assert_int_equal(h.n, MANY);
	for (int i = 0; i < MANY; i++)
		assert_string_equal(h.v[i].result, "done");
	assert_true(told_in_time);
	for (int i = 0; i < MANY; i++)
		executor_end(&e[i]);
}

static bool fin_has_come(const struct executor *e)
{
	struct pollfd p = { .fd = e->agents[0], .events = POLLIN };

	return poll(&p, 1, 10000) == 1 && closed(e, 0);
}

/*
 * Children that are forked just then inherit a copy of the socket, which keeps the connection open:
 * it is ended in their place, and reported. (Measured: a copy in 7 of 12 such injections.)
 */
static void copies_in_children(void **state)
{
	int copies = 0;

	(void)state;
	need_namespace();
	for (int i = 0; i < 200 && !copies; i++) {
		struct executor e = executor_start(FORKS, 1);
		struct shutdown_target t = target(&e, 0);
		struct heard h;

		t.request.method = INJECT_PTRACE;
		h = treat(&t, 1, &no_options);
		if (strcmp(h.v[0].result, "done") != 0)
			fail_msg("%s", h.v[0].reason);
		assert_int_equal(h.v[0].copies_left, 0);
		assert_true(fin_has_come(&e));
		copies = h.v[0].copies;
		if (copies)
			assert_non_null(
				strstr(h.v[0].reason, "the connection was ended in their place"));
		executor_end(&e);
	}
	assert_true(copies > 0);
}

static void failed_when_it_has_no_effect(void **state)
{
	struct executor e, frozen;
	struct shutdown_target t[2];
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(IGNORES, 1);
	frozen = executor_start(CLOSES, 1);
	kill(frozen.pid, SIGSTOP);
	waitpid(frozen.pid, NULL, WUNTRACED);
	t[0] = target(&e, 0);
	t[1] = target(&frozen, 0);
	h = treat(t, 2, &no_options);
	assert_int_equal(h.n, 2);
	for (size_t i = 0; i < 2; i++) {
		if (h.v[i].fd == e.fd[0] && strcmp(h.v[i].result, "failed") == 0)
			assert_non_null(
				strstr(h.v[i].reason, "has not closed its socket within 5 s"));
		assert_string_not_equal(h.v[i].result, "done");
		assert_string_equal(h.v[i].reason_id, "not-closed");
		assert_int_equal(h.v[i].effect, -1);
	}
	assert_false(closed(&e, 0));
	executor_end(&e);
	executor_end(&frozen);
}

/* Its end closes the socket too. */
static void failed_when_it_ends(void **state)
{
	struct executor e;
	struct shutdown_target t;
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(DIES, 1); /* a zombie until it is reaped */
	t = target(&e, 0);
	h = treat(&t, 1, &no_options);
	assert_string_equal(h.v[0].result, "failed");
	assert_string_equal(h.v[0].reason, "the executor has ended");
	executor_end(&e);
}

/* A v1 library drops both of its connections when one ends; both acts are done. */
static void both_connections_of_v1(void **state)
{
	(void)state;
	need_namespace();
	for (int i = 0; i < 20; i++) { /* in different orders of events */
		struct executor e = executor_start(CLOSES_ALL, 2);
		struct shutdown_target t[2] = { target(&e, 0), target(&e, 1) };
		struct heard h = treat(t, 2, &no_options);

		assert_int_equal(h.n, 2);
		assert_string_equal(h.v[0].result, "done");
		if (strcmp(h.v[1].result, "done") != 0)
			fail_msg("%s: %s", h.v[1].result, h.v[1].reason);
		assert_true(closed(&e, 0) && closed(&e, 1));
		executor_end(&e);
	}
}

/* What is refused because the executor is closing it already is looked at again. */
static void other_connection_is_being_closed(void **state)
{
	(void)state;
	need_namespace();
	for (int i = 0; i < 20; i++) {
		struct executor e = executor_start(CLOSES_ALL_SLOWLY, 2);
		struct shutdown_target t[2] = { target(&e, 0), target(&e, 1) };
		struct heard h = treat(t, 2, &no_options);

		assert_int_equal(h.n, 2);
		assert_string_equal(h.v[0].result, "done");
		if (strcmp(h.v[1].result, "done") != 0)
			fail_msg("%s: %s", h.v[1].result, h.v[1].reason);
		assert_true(h.v[1].effect > 0);
		assert_true(closed(&e, 0) && closed(&e, 1));
		executor_end(&e);
	}
}

/* The end of an executor closes both of its connections: neither act is done. */
static void both_connections_of_one_that_ends(void **state)
{
	(void)state;
	need_namespace();
	for (int i = 0; i < 20; i++) {
		struct executor e = executor_start(DIES, 2);
		struct shutdown_target t[2] = { target(&e, 0), target(&e, 1) };
		struct heard h = treat(t, 2, &no_options);

		assert_int_equal(h.n, 2);
		assert_string_not_equal(h.v[0].result, "done");
		assert_string_not_equal(h.v[1].result, "done");
		executor_end(&e);
	}
}

/* Disk full: no target is begun whose intent is not on disk. In a mount namespace of its own. */
static int with_a_full_disk(const struct executor *e, const char *dir)
{
	struct shutdown_target t = target(e, 0);
	struct heard heard = { 0 };
	struct fact_sink sink = { hear, &heard };
	struct error error = { 0 };
	struct audit_log *log;
	char path[128], fill[4096] = { 0 };
	size_t begun = 9;
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tiny", dir, "tmpfs", 0, "size=8k") < 0 || audit_log_open(dir, &log, &error) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/fill", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, fill, sizeof(fill)) > 0)
		;
	close(fd);
	if (act_shutdown(&t, 1, &no_options, log, &sink, &begun, &error) != -ENOSPC ||
	    !strstr(error.message, "audit.log"))
		return 2;
	audit_log_close(log);
	if (heard.intents != 0 || heard.n != 1 || heard.unwritten != 1 || begun != 0)
		return 3;
	return strcmp(heard.v[0].reason_id, "log-failed") == 0 ? 0 : 4;
}

static void log_cannot_be_written(void **state)
{
	char dir[] = "/tmp/ew-shutdown-XXXXXX";
	struct executor e;
	int status;
	pid_t pid;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	assert_non_null(mkdtemp(dir));
	pid = fork();
	if (pid == 0)
		_exit(with_a_full_disk(&e, dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(dir);
	assert_int_equal(status, 0);
	assert_false(closed(&e, 0));
	executor_end(&e);
}

static void nothing_to_do(void **state)
{
	struct heard h = treat(NULL, 0, &no_options);

	(void)state;
	assert_int_equal(h.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(done_by_each_method),
		cmocka_unit_test(done_where_the_first_thread_has_ended),
		cmocka_unit_test(a_slow_one_is_seen_while_others_are_treated),
		cmocka_unit_test(copies_in_children),
		cmocka_unit_test(failed_when_it_has_no_effect),
		cmocka_unit_test(failed_when_it_ends),
		cmocka_unit_test(both_connections_of_v1),
		cmocka_unit_test(other_connection_is_being_closed),
		cmocka_unit_test(both_connections_of_one_that_ends),
		cmocka_unit_test(log_cannot_be_written),
		cmocka_unit_test(nothing_to_do),
	};

	return cmocka_run_group_tests(tests, own_namespace, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What counts as held: over real connections to a listener that answers, or does not. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "act/hold.h"
#include "base/addr.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/proc.h"
#include "facts.h"

#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
#define LINE	 "I1130 17:00:00.1 1 exec.cpp:260] Executor re-registered on agent S0\n"

/* An executor: a process with a log, or without one that can be read, and a listener. */
struct executor {
	pid_t pid;
	uint64_t start;
	int listener, log; /* log: -1: its stderr is a pipe */
	struct ew_addr at;
	const char *answer, *line; /* NULL: none */
	pthread_t thread;
	char got[4096];
	size_t len;
};

static void *serve(void *arg)
{
	struct executor *e = arg;
	int fd = accept(e->listener, NULL, NULL);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = recv(fd, e->got, sizeof(e->got), 0);
	e->len = n > 0 ? (size_t)n : 0;
	if (e->line && e->log >= 0)
		assert_int_equal(write(e->log, e->line, strlen(e->line)), (ssize_t)strlen(e->line));
	if (e->answer)
		send(fd, e->answer, strlen(e->answer), MSG_NOSIGNAL);
	recv(fd, e->got + e->len, 1, 0); /* until the sender closes */
	close(fd);
	return NULL;
}

static void process_start(struct executor *e, bool with_log)
{
	struct proc_stat stat;
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	e->log = with_log ? open("/tmp", O_TMPFILE | O_RDWR, 0600) : -1;
	if (with_log)
		assert_int_equal(write(e->log, LINE, sizeof(LINE) - 1), sizeof(LINE) - 1);
	e->pid = fork();
	if (e->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(e->listener);
		close(1); /* who reads the test's output is not kept waiting */
		dup2(with_log ? e->log : ends[1], 2);
		if (write(ends[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1); /* its stderr is that file */
	close(ends[0]);
	assert_int_equal(proc_stat_of(e->pid, &stat), 0);
	e->start = stat.start;
}

static struct executor executor_start(bool with_log)
{
	struct executor e = { .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	assert_int_equal(bind(e.listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(e.listener, 1), 0);
	assert_int_equal(getsockname(e.listener, (struct sockaddr *)&at, &len), 0);
	e.at = addr_from_v4(&at.sin_addr, ntohs(at.sin_port));
	process_start(&e, with_log);
	return e;
}

static void executor_end(struct executor *e)
{
	kill(e->pid, SIGKILL);
	waitpid(e->pid, NULL, 0);
	shutdown(e->listener, SHUT_RDWR);
	close(e->listener);
	if (e->log >= 0)
		close(e->log);
}

static char result[32], reason_id[32], proof[32], intent_bytes[256];

static void note(void *ctx, const struct fact *fact)
{
	(void)ctx;
	if (strcmp(fact->act.phase, "intent") == 0) {
		snprintf(intent_bytes, sizeof(intent_bytes), "%s", fact->act.bytes);
		return;
	}
	snprintf(result, sizeof(result), "%s", fact->act.result);
	snprintf(reason_id, sizeof(reason_id), "%s", fact->act.reason_id);
	snprintf(proof, sizeof(proof), "%s", fact->act.proof);
}

static struct hold_refusal may(void *ctx, const struct hold_target *target, bool *only_own)
{
	(void)target;
	*only_own = ctx != NULL;
	return (struct hold_refusal){ 0 };
}

static struct hold_refusal must_not(void *ctx, const struct hold_target *target, bool *only_own)
{
	(void)ctx, (void)target, (void)only_own;
	return (struct hold_refusal){ "agent-answers", "an agent listens on the port now" };
}

static struct hold_options how = { .nsfd = NETNS_OWN, .check = may };

static void hold(struct executor *e, const char *from, const struct hold_options *options)
{
	struct hold_target target = { .executor_id = "web",
				      .pid = e->pid,
				      .start = e->start,
				      .to = e->at,
				      .bytes = "POST /%\r\n",
				      .len = 9 };
	struct fact_sink sink = { note, NULL };
	struct error error = { 0 };

	assert_int_equal(addr_parse(from, &target.from), 0);
	*result = *reason_id = *proof = *intent_bytes = '\0';
	assert_int_equal(act_hold(&target, 1, options, NULL, &sink, &error), 0);
}

static void answers(void **state)
{
	static const struct {
		const char *answer, *line;
		bool with_log;
		const char *result, *reason_id, *proof;
	} rows[] = {
		{ ACCEPTED, LINE, true, "held", "", "answer+log" },
		{ ACCEPTED, NULL, false, "held", "", "answer" },
		{ ACCEPTED, NULL, true, "sent", "unproven", "" }, /* its log says nothing new */
		{ ACCEPTED, "I1 exec.cpp:1] Executor registered on agent S0\n", true, "sent",
		  "unproven", "" },
		{ NULL, LINE, true, "sent", "unproven", "" },
		{ NULL, NULL, false, "sent", "unproven", "" },
		{ "HTTP/1.1 400 Bad Request\r\n\r\n", NULL, true, "failed", "rejected", "" },
		{ "HTTP/1.1 404 Not Found\r\n\r\n", LINE, true, "failed", "rejected", "" },
		{ "SSH-2.0-OpenSSH\r\n", NULL, false, "sent", "unproven", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct executor e = executor_start(rows[i].with_log);

		e.answer = rows[i].answer;
		e.line = rows[i].line;
		assert_int_equal(pthread_create(&e.thread, NULL, serve, &e), 0);
		hold(&e, "127.0.0.1:5051", &how);
		pthread_join(e.thread, NULL);
		if (strcmp(result, rows[i].result) != 0 ||
		    strcmp(reason_id, rows[i].reason_id) != 0 || strcmp(proof, rows[i].proof) != 0)
			fail_msg("row %zu: %s %s %s", i, result, reason_id, proof);
		assert_int_equal(e.len, 9);
		assert_memory_equal(e.got, "POST /%\r\n", 9);
		assert_string_equal(intent_bytes, "POST /%25%0d%0a");
		executor_end(&e);
	}
}

static void nobody_listens(void **state)
{
	struct executor e = executor_start(false);

	(void)state;
	close(e.listener);
	e.listener = -1;
	hold(&e, "127.0.0.1:5051", &how);
	assert_string_equal(result, "failed");
	assert_string_equal(reason_id, "no-connection");
	executor_end(&e);
}

/* From an address that this host has not: only where the executor does not care. */
static void the_senders_address(void **state)
{
	struct hold_options strict = how;
	struct executor e = executor_start(false);

	(void)state;
	strict.ctx = &strict;
	hold(&e, "192.0.2.1:5051", &strict);
	assert_string_equal(result, "refused");
	assert_string_equal(reason_id, "refuses-sender");
	e.answer = ACCEPTED;
	assert_int_equal(pthread_create(&e.thread, NULL, serve, &e), 0);
	hold(&e, "192.0.2.1:5051", &how);
	pthread_join(e.thread, NULL);
	assert_string_equal(result, "held");
	executor_end(&e);
}

/* Nothing is sent: the listener's queue stays empty. */
static void nothing_is_sent(void **state)
{
	struct hold_options refusing = how, dry = how, stopping = how;
	static const volatile sig_atomic_t stop = 1;
	struct executor e = executor_start(false);

	(void)state;
	refusing.check = must_not;
	dry.dry_run = true;
	stopping.stop = &stop;
	hold(&e, "127.0.0.1:5051", &refusing);
	assert_string_equal(reason_id, "agent-answers");
	assert_string_equal(result, "refused");
	hold(&e, "127.0.0.1:5051", &dry);
	assert_string_equal(reason_id, "dry-run");
	assert_string_equal(result, "skipped");
	hold(&e, "127.0.0.1:5051", &stopping);
	assert_string_equal(reason_id, "interrupted");
	e.start++; /* another process has its pid */
	hold(&e, "127.0.0.1:5051", &how);
	assert_string_equal(reason_id, "executor-ended");
	assert_int_equal(fcntl(e.listener, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(accept(e.listener, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	executor_end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(the_senders_address),
		cmocka_unit_test(nothing_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

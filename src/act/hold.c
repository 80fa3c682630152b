/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/hold.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "act/act_report.h"
#include "act/audit_log.h"
#include "act/driver_log.h"
#include "base/addr.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"

#define SEND_WAIT  (2000 * NS_PER_MS)
#define PROOF_WAIT (3000 * NS_PER_MS)
#define LOOK_PAUSE (10 * NS_PER_MS)
#define BYTES_TEXT 8192 /* a request in escapes */
#define ACCEPTED   202	/* what libprocess answers to a message */

struct target {
	const struct hold_target *asked;
	struct act_result end;
	const char *proof;
	bool begun;
};

struct batch {
	struct target *targets;
	size_t n;
	const struct hold_options *options;
	struct act_report report;
};

/* ---- results ---- */

/* The request as text, other bytes than printable ASCII as %HH: a recording keeps every byte. */
static const char *bytes_text(const struct hold_target *target, char *buf)
{
	char *at = buf;

	for (size_t i = 0; i < target->len && at < buf + BYTES_TEXT - 5; i++) {
		unsigned char c = (unsigned char)target->bytes[i];

		if (c >= ' ' && c < 0x7f && c != '%')
			*at++ = (char)c;
		else
			at += snprintf(at, 4, "%%%02x", c);
	}
	*at = '\0';
	return buf;
}

static void batch_report(struct batch *batch, const struct target *t, const char *phase)
{
	char text[BYTES_TEXT];
	struct fact fact = act_report_fact(phase, &t->end, t->proof);

	fact.act.action = "hold";
	fact.act.framework_id = t->asked->framework_id;
	fact.act.executor_id = t->asked->executor_id;
	fact.act.pid = t->asked->pid;
	fact.act.start = t->asked->start;
	fact.act.fd = -1;
	fact.act.method = t->begun ? "message" : "";
	fact.act.bytes = t->begun ? bytes_text(t->asked, text) : "";
	act_report_write(&batch->report, &fact, t->begun);
}

static void target_failed(struct target *t, const char *reason_id, const char *what, int err)
{
	char text[200];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(-err));
	act_result_set(&t->end, "failed", reason_id, text);
}

/* ---- the connection ---- */

static socklen_t sockaddr_of(const struct ew_addr *addr, bool with_port,
			     struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (void *)to;
	struct sockaddr_in6 *v6 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (addr_is_v4(addr)) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, addr->ip + 12, 4);
		v4->sin_port = with_port ? htons(addr->port) : 0;
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	memcpy(&v6->sin6_addr, addr->ip, 16);
	v6->sin6_port = with_port ? htons(addr->port) : 0;
	return sizeof(*v6);
}

static bool wait_for(int fd, short events, int64_t until)
{
	int64_t left = until - now_mono();
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, left > 0 ? (int)(left / NS_PER_MS) + 1 : 0) == 1;
}

static int connected(int fd, const struct ew_addr *to, int64_t until)
{
	struct sockaddr_storage addr;
	socklen_t len = sockaddr_of(to, true, &addr);
	int err = 0;
	socklen_t size = sizeof(err);

	if (connect(fd, (struct sockaddr *)&addr, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	if (!wait_for(fd, POLLOUT, until))
		return -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 ? -errno : -err;
}

/*
 * From the agent's address, as its own message would come. -EADDRNOTAVAIL: this host has not that
 * address, and the executor insists on it.
 */
static int connect_from(const struct hold_target *target, int nsfd, bool only_own)
{
	int domain = addr_is_v4(&target->to) ? AF_INET : AF_INET6, err = 0;
	int fd = netns_socket(nsfd, domain, SOCK_STREAM | SOCK_NONBLOCK, 0, NULL);
	struct sockaddr_storage from;
	socklen_t len = sockaddr_of(&target->from, false, &from);

	if (fd < 0)
		return fd;
	if (from.ss_family != domain || bind(fd, (struct sockaddr *)&from, len) < 0)
		err = only_own ? -EADDRNOTAVAIL : 0;
	if (!err)
		err = connected(fd, &target->to, now_mono() + SEND_WAIT);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int send_all(int fd, const char *bytes, size_t len, int64_t until)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0 && !wait_for(fd, POLLOUT, until))
			return -ETIMEDOUT;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* ---- the proof ---- */

/* HTTP status of "HTTP/1.1 202 Accepted"; 0: not here yet, or something else. */
static int status_of(const char *answer)
{
	int status;

	return sscanf(answer, "HTTP/1.%*1[01] %3d ", &status) == 1 ? status : 0;
}

struct answer {
	char text[64];
	size_t len;
	bool over;
	int status; /* 0: not here yet, or no HTTP */
};

/* What has arrived; does not wait. */
static void answer_read(struct answer *answer, int fd)
{
	size_t space = sizeof(answer->text) - 1 - answer->len;
	ssize_t n = answer->over || !space ? -1 : recv(fd, answer->text + answer->len, space, 0);

	answer->over |= n == 0;
	answer->len += n > 0 ? (size_t)n : 0;
	answer->status = status_of(answer->text);
}

/* Waits until all that can be had is here. Returns the status; *line: its log has the line. */
static int await_proof(int fd, struct driver_log *log, bool *line)
{
	int64_t until = now_mono() + PROOF_WAIT;
	struct answer answer = { 0 };

	*line = false;
	while (now_mono() < until) {
		answer_read(&answer, fd);
		*line |= driver_log_reregistered(log, 0);
		if (answer.status &&
		    (answer.status != ACCEPTED || *line || log->state != DRIVER_LOG_READ))
			break;
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_PAUSE }, NULL);
	}
	return answer.status;
}

static const char *unproven(const struct driver_log *log, int status, bool line)
{
	if (line)
		return "its driver has written that it is registered again, but the executor has "
		       "not answered within 3 s";
	if (!status)
		return "the executor has not answered within 3 s: whether its clock still runs is "
		       "not known";
	if (log->state == DRIVER_LOG_UNKNOWN)
		return "the executor has accepted the message, but its log could not be read "
		       "within 2 s";
	return "the executor has accepted the message, but its driver has not written that it is "
	       "registered again within 3 s";
}

static void target_prove(struct target *t, int fd, struct driver_log *log)
{
	bool line;
	int status = await_proof(fd, log, &line);

	if (status && status != ACCEPTED) {
		char text[100];

		snprintf(text, sizeof(text),
			 "the executor has answered with HTTP status %d and takes no such message",
			 status);
		act_result_set(&t->end, "failed", "rejected", text);
	} else if (status && (line || log->state == DRIVER_LOG_NONE)) {
		act_result_set(&t->end, "held", "", "");
		t->proof = line ? "answer+log" : "answer";
	} else {
		act_result_set(&t->end, "sent", "unproven", unproven(log, status, line));
	}
}

/* ---- the act ---- */

static bool target_stop(struct target *t, const struct batch *batch, bool *only_own)
{
	const struct hold_options *options = batch->options;
	pid_t live = proc_live_thread(t->asked->pid, t->asked->start);
	struct hold_refusal refusal = { 0 };

	if (batch->report.err) {
		act_result_set(&t->end, "skipped", "log-failed",
			       "the audit log could not be written");
	} else if (options->stop && *options->stop) {
		act_result_set(&t->end, "skipped", "interrupted",
			       "interrupted before it was begun");
	} else if (live == 0) {
		act_result_set(&t->end, "refused", "executor-ended", "the executor has ended");
	} else if (live < 0) {
		act_result_set(&t->end, "refused", "system",
			       "whether the executor is alive could not be read");
	} else {
		refusal = options->check(options->ctx, t->asked, only_own);
		if (refusal.id)
			act_result_set(&t->end, "refused", refusal.id, refusal.reason);
	}
	return t->end.result != NULL;
}

static void target_send(struct target *t, int fd, struct driver_log *log)
{
	int err = send_all(fd, t->asked->bytes, t->asked->len, now_mono() + SEND_WAIT);

	if (err)
		target_failed(t, "no-connection", "send to the executor", err);
	else
		target_prove(t, fd, log);
}

/* What takes time comes before the last look, after which there is only the send. */
static void target_hold(struct target *t, const struct batch *batch)
{
	struct driver_log log;
	bool only_own = false;
	int fd;

	if (target_stop(t, batch, &only_own))
		return;
	driver_log_begin(&log, t->asked->pid);
	fd = connect_from(t->asked, batch->options->nsfd, only_own);
	if (fd == -EADDRNOTAVAIL && only_own)
		act_result_set(
			&t->end, "refused", "refuses-sender",
			"the executor takes messages from its agent's address only "
			"(LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH), which this host has not");
	else if (fd < 0)
		target_failed(t, "no-connection", "connect to the executor", fd);
	else if (!target_stop(t, batch, &only_own))
		target_send(t, fd, &log);
	driver_log_end(&log);
	if (fd >= 0)
		close(fd);
}

static void target_init(struct target *t, const struct hold_target *asked, bool dry_run)
{
	t->asked = asked;
	act_result_plan(&t->end, asked->refused, asked->skipped, asked->reason_id, dry_run);
	t->begun = !t->end.result;
}

static void batch_intend(struct batch *batch)
{
	bool any = false;

	for (size_t i = 0; i < batch->n; i++) {
		if (batch->targets[i].end.result)
			continue;
		batch_report(batch, &batch->targets[i], "intent");
		any = true;
	}
	if (any)
		act_report_sync(&batch->report);
}

int act_hold(const struct hold_target *targets, size_t n, const struct hold_options *options,
	     struct audit_log *log, const struct fact_sink *sink, struct error *error)
{
	struct batch batch = { .n = n,
			       .options = options,
			       .report = { .log = log, .sink = sink, .error = error } };

	batch.targets = calloc(n + 1, sizeof(*batch.targets));
	if (!batch.targets)
		return error_set(error, -ENOMEM, NULL, "hold %zu executors", n);
	for (size_t i = 0; i < n; i++)
		target_init(&batch.targets[i], &targets[i], options->dry_run);
	batch_intend(&batch);
	for (size_t i = 0; i < n; i++) {
		struct target *t = &batch.targets[i];

		if (!t->end.result)
			target_hold(t, &batch);
		batch_report(&batch, t, "result");
	}
	act_report_end(&batch.report);
	free(batch.targets);
	return batch.report.err;
}

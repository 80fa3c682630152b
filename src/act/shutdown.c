/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/shutdown.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "base/now.h"
#include "base/error.h"
#include "facts.h"

#define INJECT_WAIT (2000 * NS_PER_MS) /* a target in uninterruptible sleep is given up */
#define LOOK_BACK   8
#define EFFECT_WAIT                                                                                \
	(5000 * NS_PER_MS) /* an event loop that has not run by then is stuck or frozen */

struct job {
	const struct shutdown_target *target;
	bool begun; /* the call was, or may have been, made */
	int64_t begun_at;
	struct inject_result injected;
	const char *result; /* NULL: its effect is awaited */
	char reason[540];   /* a whole error_text */
	const char *reason_id;
	int64_t effect;
};

struct round {
	struct inject_worker *injector;
	struct job *jobs;
	size_t n;
	const struct shutdown_options *options;
	struct audit_log *log;
	const struct fact_sink *sink;
	struct error *error; /* of the first line of the log that could not be written */
	int err;
};

static struct fact job_fact(const struct job *job, const char *phase)
{
	const struct shutdown_target *t = job->target;
	bool injected = job->injected.used != INJECT_AUTO;

	return (struct fact){ .type = FACT_ACT,
			      .mono = now_mono(),
			      .act = {
				      .phase = phase,
				      .action = "shutdown",
				      .framework_id = t->framework_id,
				      .executor_id = t->executor_id,
				      .pid = t->pid,
				      .start = t->start,
				      .fd = t->fd,
				      .cookie = t->cookie,
				      .inode = t->inode,
				      .method = injected ? inject_method_name(job->injected.used)
							 : "",
				      .result = job->result ? job->result : "",
				      .reason = job->reason,
				      .reason_id = job->reason_id ? job->reason_id : "",
				      .stopped = job->injected.stopped_ns
							 ? (int64_t)job->injected.stopped_ns
							 : -1,
				      .effect = job->effect,
			      } };
}

static int job_log(const struct round *round, const struct job *job, const char *phase,
		   struct error *error)
{
	struct fact fact = job_fact(job, phase);
	int err = 0;

	if (round->log)
		err = audit_log_write(round->log, &fact, error);
	if (!err)
		fact_emit(round->sink, &fact);
	return err;
}

static void job_end(struct job *job, const char *result, const char *reason_id, const char *reason)
{
	job->result = result;
	job->reason_id = reason_id;
	snprintf(job->reason, sizeof(job->reason), "%s", reason);
}

/* What is settled before anything is begun. */
static void job_triage(struct job *job, const struct shutdown_options *options)
{
	if (job->target->forbidden)
		job_end(job, "refused", "forbidden", job->target->forbidden);
	else if (options->dry_run)
		job_end(job, "skipped", "dry-run", "dry run");
}

static void job_inject(struct job *job, enum inject_method method, struct inject_worker *injector)
{
	const struct shutdown_target *t = job->target;
	struct inject_target target = {
		.pid = t->pid,
		.start_ticks = t->start,
		.pidfd = -1,
		.fd = t->fd,
		.inode = t->inode,
		.cookie = t->cookie,
		.proof = INJECT_BY_VALUE,
	};
	struct error error = { 0 };
	char text[sizeof(job->reason)];

	job->begun_at = now_mono();
	inject_shutdown(injector, &target, method, (uint64_t)(job->begun_at + INJECT_WAIT),
			&job->injected, &error);
	switch (job->injected.status) {
	case INJECT_DONE:
	case INJECT_UNSURE:
		job->begun = true;
		break;
	case INJECT_REFUSED:
		job_end(job, "refused", inject_reason_id(job->injected.reason),
			error_text(&error, text, sizeof(text)));
		break;
	case INJECT_FAILED:
		job_end(job, "failed", inject_reason_id(job->injected.reason),
			error_text(&error, text, sizeof(text)));
		break;
	}
}

/* Its descriptor refers to that socket no more: the executor has closed it itself. */
static bool job_closed(const struct job *job)
{
	char path[64], want[32], link[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", job->target->pid, job->target->fd);
	len = snprintf(want, sizeof(want), "socket:[%llu]", (unsigned long long)job->target->inode);
	return readlink(path, link, sizeof(link)) != len || memcmp(link, want, (size_t)len) != 0;
}

/* Its files are closed before it is a zombie (include/linux/sched.h; shown in /proc/PID/stat,
 * proc(5)). */
#define PF_EXITING 0x4u

/*
 * Its end closes the socket too, and is no effect of the act that anybody wants. A zombie has
 * ended, and another process may have its number by now.
 */
static bool job_lives(const struct job *job)
{
	char path[64], stat[1024];
	unsigned long long start = 0;
	unsigned int flags = 0;
	const char *end;
	char state = 'X';
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", job->target->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
	if (fd >= 0)
		close(fd);
	stat[len > 0 ? len : 0] = '\0';
	end = strrchr(stat, ')'); /* a name may hold anything */
	if (!end || sscanf(end,
			   ") %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			   "%*d %*d %llu",
			   &state, &flags, &start) != 3)
		return false;
	return state != 'Z' && state != 'X' && !(flags & PF_EXITING) && start == job->target->start;
}

static void job_unclosed(struct job *job)
{
	if (job->injected.status == INJECT_DONE)
		job_end(job, "failed", "not-closed",
			"the call was made and the executor has not closed its socket within 5 s: "
			"its event loop is stuck, or it is frozen");
	else
		job_end(job, "failed", "call-unsure",
			"whether the call was made is not known, and the executor has not closed "
			"its socket within 5 s");
}

static void job_look(struct job *job, int64_t now)
{
	if (job_closed(job)) {
		if (!job_lives(job)) {
			job_end(job, "failed", "executor-ended", "the executor has ended");
			return;
		}
		job->effect = now - job->begun_at;
		job_end(job, "done", "", "");
	} else if (now - job->begun_at > EFFECT_WAIT) {
		job_unclosed(job);
	}
}

static void round_log(struct round *round, const struct job *job)
{
	int err = job_log(round, job, "result", round->err ? NULL : round->error);

	if (!round->err)
		round->err = err;
}

/* Looks at those of a range whose effect is awaited; returns how many still are. */
static size_t round_look(struct round *round, size_t from, size_t to)
{
	size_t open = 0;

	for (size_t i = from; i < to; i++) {
		struct job *job = &round->jobs[i];

		if (!job->begun || job->result)
			continue;
		job_look(job, now_mono());
		if (job->result)
			round_log(round, job);
		else
			open++;
	}
	return open;
}

static int round_intents(struct round *round, struct error *error)
{
	bool any = false;

	for (size_t i = 0; i < round->n; i++) {
		int err = round->jobs[i].result ? 0
						: job_log(round, &round->jobs[i], "intent", error);

		if (err)
			return err;
		any |= !round->jobs[i].result;
	}
	return any && round->log ? audit_log_sync(round->log, error) : 0;
}

/* A v1 executor drops both of its connections when one of them ends (Mesos executor.cpp,
 * disconnected()). */
static const struct job *sibling_begun(const struct round *round, const struct job *job)
{
	for (const struct job *other = round->jobs; other < job; other++)
		if (other->begun && other->target->pid == job->target->pid &&
		    other->target->start == job->target->start)
			return other;
	return NULL;
}

static void job_begin(struct round *round, struct job *job)
{
	const struct job *sibling = sibling_begun(round, job);

	if (sibling && job_closed(job) && job_lives(job)) {
		job->effect = now_mono() - sibling->begun_at;
		job_end(job, "done", "",
			"the executor closed it together with its other connection");
		return;
	}
	job_inject(job, round->options->method, round->injector);
	if (sibling && job->injected.status == INJECT_REFUSED && job_closed(job) && job_lives(job))
		job_begin(round, job);
}

static void round_inject(struct round *round)
{
	const struct shutdown_options *o = round->options;

	for (size_t i = 0; i < round->n; i++) {
		struct job *job = &round->jobs[i];

		if (job->result)
			continue;
		if (o->stop && *o->stop)
			job_end(job, "skipped", "interrupted", "interrupted before it was begun");
		else
			job_begin(round, job);
		/* Not later than needed, so that the time of the effect is told truly. */
		round_look(round, i < LOOK_BACK ? 0 : i - LOOK_BACK, i + 1);
		if (o->progress)
			o->progress(o->ctx, i + 1, round->n);
	}
}

static void round_effects(struct round *round)
{
	struct timespec nap = { .tv_nsec = NS_PER_MS / 2 };

	while (round_look(round, 0, round->n))
		nanosleep(&nap, NULL);
}

static void round_results(struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		if (!round->jobs[i].begun)
			round_log(round, &round->jobs[i]);
	if (round->log && !round->err)
		round->err = audit_log_sync(round->log, round->error);
}

int act_shutdown(const struct shutdown_target *targets, size_t n,
		 const struct shutdown_options *options, struct audit_log *log,
		 const struct fact_sink *sink, struct error *error)
{
	struct round round = {
		.n = n, .options = options, .log = log, .sink = sink, .error = error
	};

	round.jobs = calloc(n ? n : 1, sizeof(*round.jobs));
	if (!round.jobs || inject_worker_new(&round.injector) < 0) {
		free(round.jobs);
		return error_set(error, -ENOMEM, NULL, "treat %zu links", n);
	}
	for (size_t i = 0; i < n; i++) {
		round.jobs[i].target = &targets[i];
		round.jobs[i].effect = -1;
		job_triage(&round.jobs[i], options);
	}
	round.err = round_intents(&round, error);
	if (!round.err) {
		round_inject(&round);
		round_effects(&round);
		round_results(&round);
	}
	inject_worker_free(round.injector);
	free(round.jobs);
	return round.err;
}

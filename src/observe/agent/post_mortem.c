/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/post_mortem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/now.h"
#include "facts.h"
#include "mesos/glog.h"
#include "mesos/span.h"
#include "observe/agent/agent_log.h"
#include "observe/agent/checkpoints.h"
#include "observe/agent/file_tail.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool is_name(const char *name)
{
	return name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* A descriptor or a negative errno. */
static int dir_open(int above, const char *name)
{
	int dir;

	if (!is_name(name))
		return -ENOENT;
	dir = openat(above, name, DIR_FLAGS);
	return dir < 0 ? -errno : dir;
}

/* The same; closes above, which may be a negative errno already. */
static int step_into(int above, const char *name)
{
	int dir = above < 0 ? above : dir_open(above, name);

	if (above >= 0)
		close(above);
	return dir;
}

/* The directory of the run below that of an agent id, dir, which it closes. */
static int run_open(int dir, const struct post_mortem_run *run)
{
	dir = step_into(step_into(dir, "frameworks"), run->framework_id);
	dir = step_into(step_into(dir, "executors"), run->executor_id);
	return step_into(step_into(dir, "runs"), run->container_id);
}

static void end_emit(const struct post_mortem_run *run, const char *cause, const char *source,
		     const char *file, struct mesos_span line, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_END, .mono = now_mono() };
	char text[512];

	snprintf(text, sizeof(text), "%s says '%.*s'.", file,
		 (int)(line.len < 400 ? line.len : 400), line.p);
	fact.end.framework_id = run->framework_id;
	fact.end.executor_id = run->executor_id;
	fact.end.container_id = run->container_id;
	fact.end.cause = cause;
	fact.end.source = source;
	fact.end.text = text;
	fact_emit(sink, &fact);
}

/* ---- its stderr ---- */

/*
 * Lines of the drivers (Mesos exec.cpp, executor.cpp). The first of an end counts: a recovery
 * timeout is followed by the order that the driver gives itself.
 */
static const char *cause_in_stderr(struct mesos_span text)
{
	if (mesos_span_take(&text, "Recovery timeout of "))
		return "self-terminated";
	if ((mesos_span_take(&text, "Agent exited ...") ||
	     mesos_span_take(&text, "Slave exited ...")))
		return "self-terminated";
	if (mesos_span_is(text, "Executor asked to shutdown") ||
	    mesos_span_is(text, "Received SHUTDOWN event"))
		return "killed-by-agent";
	return NULL;
}

static bool is_registration(struct mesos_span text)
{
	return mesos_span_take(&text, "Executor registered on ") ||
	       mesos_span_take(&text, "Executor re-registered on ") ||
	       mesos_span_take(&text, "Executor reregistered on ") ||
	       mesos_span_take(&text, "Received SUBSCRIBED event");
}

struct said {
	const char *cause; /* NULL: none is told */
	struct mesos_span text;
	bool registered; /* a registration came after all that was told before */
};

static void stderr_scan(struct mesos_span rest, struct said *said)
{
	struct mesos_span line;
	struct mesos_glog glog;

	while (mesos_span_cut(&rest, '\n', &line)) {
		if (mesos_glog_parse(line, &glog) < 0)
			continue;
		if (is_registration(glog.text)) {
			*said = (struct said){ .registered = true };
		} else if (!said->cause) {
			said->cause = cause_in_stderr(glog.text);
			said->text = glog.text;
		}
	}
}

/* The container logger rotates the file to stderr.1 (Mesos slave/container_loggers/logrotate.hpp).
 */
static void stderr_emit(int run_dir, const struct post_mortem_run *run,
			const struct fact_sink *sink)
{
	static const char *const names[] = { "stderr", "stderr.1" };
	struct said said = { 0 };

	for (size_t i = 0; i < 2 && !said.cause && !said.registered; i++) {
		struct mesos_span tail;
		int err = file_tail(run_dir, names[i], O_NOFOLLOW, POST_MORTEM_STDERR, &tail);

		if (err < 0)
			emit_unread(sink, 0, 0, err, "%s of executor '%s'", names[i],
				    run->executor_id);
		stderr_scan(tail, &said);
		if (said.cause)
			end_emit(run, said.cause, "log", i ? "its stderr.1" : "its stderr",
				 said.text, sink);
		file_tail_free(tail);
	}
}

/* ---- the agent's log ---- */

/* "Killing un-reregistered executor 'web' of framework F at …" (Mesos slave/slave.cpp) */
static bool names_run(struct mesos_span text, const char *verb, const struct post_mortem_run *run)
{
	return mesos_span_take(&text, verb) && mesos_span_take(&text, " executor '") &&
	       mesos_span_take(&text, run->executor_id) &&
	       mesos_span_take(&text, "' of framework ") &&
	       mesos_span_take(&text, run->framework_id);
}

static void kills_emit(struct mesos_span log, const struct post_mortem_run *run,
		       const struct fact_sink *sink)
{
	static const char *const verbs[] = { "Killing un-reregistered", "Shutting down" };
	struct mesos_span rest = log, line, said = { 0 };
	struct mesos_glog glog;

	while (mesos_span_cut(&rest, '\n', &line)) {
		if (!mesos_span_find(line, run->executor_id) || mesos_glog_parse(line, &glog) < 0)
			continue;
		for (size_t i = 0; i < 2; i++)
			if (names_run(glog.text, verbs[i], run))
				said = glog.text;
	}
	if (said.p)
		end_emit(run, "killed-by-agent", "log", "the agent's log", said, sink);
}

/* ---- the container's status ---- */

/* A signal of the program's own doing, or one that somebody sent. */
static const char *cause_of_status(int status)
{
	if (!WIFSIGNALED(status))
		return NULL; /* an executor exits 0 whatever its task did */
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
	case SIGSYS:
		return "crashed";
	default:
		return "killed";
	}
}

/*
 * What wait(2) gave its launcher, which outlives the agent (Mesos from 1.1 on,
 * slave/containerizer/mesos/paths.hpp, getContainerStatusPath()). The logs say more where they say
 * anything: an executor may kill itself, and the agent kills too.
 */
static void status_emit(const char *runtime, const struct post_mortem_run *run,
			const struct fact_sink *sink)
{
	char path[PATH_MAX + NAME_MAX + 32], text[16];
	struct mesos_span file;
	const char *cause;
	char *rest;
	int err;

	if (!*runtime || !is_name(run->container_id))
		return;
	snprintf(path, sizeof(path), "%s/containers/%.255s/status", runtime, run->container_id);
	err = file_tail(AT_FDCWD, path, O_NOFOLLOW, sizeof(text) - 1, &file);
	if (err < 0)
		emit_unread(sink, 0, 0, err, "%s", path);
	mesos_span_copy(file, text, sizeof(text));
	cause = cause_of_status((int)strtol(text, &rest, 10));
	if (rest != text && (*rest == '\0' || *rest == '\n') && cause)
		end_emit(run, cause, "disk", "its container's status file", file, sink);
	file_tail_free(file);
}

/* ---- all agent ids ---- */

/* Calls one(dir, run, sink) for the run's directory under each agent id in top/slaves. */
static void
each_run(const char *top, const struct post_mortem_run *run, const struct fact_sink *sink,
	 void (*one)(int dir, const struct post_mortem_run *run, const struct fact_sink *sink))
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *slaves;

	snprintf(path, sizeof(path), "%s/slaves", top);
	slaves = opendir(path);
	while (slaves && (errno = 0, (entry = readdir(slaves)))) {
		int dir = run_open(dir_open(dirfd(slaves), entry->d_name), run);

		if (dir >= 0) {
			one(dir, run, sink);
			close(dir);
		} else if (!file_is_absent(dir)) {
			emit_unread(sink, 0, 0, dir, "executor '%s' in %s/%s", run->executor_id,
				    path, entry->d_name);
		}
	}
	if (errno && !file_is_absent(-errno))
		emit_unread(sink, 0, 0, -errno, "%s", path);
	if (slaves)
		closedir(slaves);
}

static void tasks_emit(int dir, const struct post_mortem_run *run, const struct fact_sink *sink)
{
	checkpoints_emit_tasks(dir, run->framework_id, run->executor_id, run->container_id, sink);
}

/* Hands facts on, and counts the causes among them. */
struct causes {
	const struct fact_sink *sink;
	size_t n;
};

static void causes_emit(void *ctx, const struct fact *fact)
{
	struct causes *causes = ctx;

	causes->n += fact->type == FACT_END;
	fact_emit(causes->sink, fact);
}

static void run_emit(const char *work_dir, const char *meta, const char *runtime,
		     struct mesos_span log, const struct post_mortem_run *run,
		     const struct fact_sink *sink)
{
	struct causes causes = { .sink = sink };
	const struct fact_sink counting = { .emit = causes_emit, .ctx = &causes };

	each_run(meta, run, &counting, tasks_emit);
	each_run(work_dir, run, &counting, stderr_emit);
	kills_emit(log, run, &counting);
	if (!causes.n)
		status_emit(runtime, run, sink);
}

void post_mortem_emit(const char *work_dir, const struct agent_log_place *place,
		      const struct post_mortem_run *runs, size_t n, const struct fact_sink *sink)
{
	int64_t end = now_mono() + POST_MORTEM_TIME * NS_PER_S;
	const char *source;
	struct mesos_span log = agent_log_read(place, POST_MORTEM_LOG, &source, sink);
	char meta[PATH_MAX];
	size_t i;

	snprintf(meta, sizeof(meta), "%s/meta", work_dir);
	for (i = 0; i < n && now_mono() < end; i++)
		run_emit(work_dir, meta, place->runtime, log, &runs[i], sink);
	if (i < n)
		emit_unread(sink, 0, 0, -ETIME, "what is written of %zu executors that are gone",
			    n - i);
	file_tail_free(log);
}

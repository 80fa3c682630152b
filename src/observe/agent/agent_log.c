/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/agent_log.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounded.h"
#include "base/jsonval.h"
#include "base/now.h"
#include "base/proc.h"
#include "base/emit.h"
#include "facts.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/file_tail.h"
#include "observe/agent/service.h"

enum { JOURNAL_MS = 2000, JOURNAL_MAX = 4 * 1024 * 1024, LAST_WORD_MAX = 64 * 1024 };

static const char failed[] = "Failed to perform recovery";

/* ---- where it is ---- */

static void file_of(int32_t pid, char *file, size_t size)
{
	char path[PROC_PATH_MAX];
	ssize_t len = readlink(proc_path(path, pid, 0, "fd/2"), file, size - 1);

	file[len > 0 ? len : 0] = '\0';
	if (file[0] != '/' || strstr(file, " (deleted)"))
		file[0] = '\0';
}

static void unit_of(int32_t pid, char *unit, size_t size)
{
	char cgroup[PATH_MAX] = "", unit_cgroup[PATH_MAX];
	int dir = proc_open(pid);
	const char *name;

	unit[0] = '\0';
	if (dir < 0)
		return;
	proc_cgroup(dir, cgroup, sizeof(cgroup));
	close(dir);
	name = service_unit_of(cgroup, unit_cgroup);
	if (name && (size_t)snprintf(unit, size, "%s", name) >= size)
		unit[0] = '\0';
}

void agent_log_remember(int32_t pid, struct agent_log_place *place)
{
	place->pid = pid;
	file_of(pid, place->file, sizeof(place->file));
	if (!agent_flag(pid, "log_dir", place->dir, sizeof(place->dir)) || place->dir[0] != '/')
		place->dir[0] = '\0';
	unit_of(pid, place->unit, sizeof(place->unit));
	/* Mesos slave/flags.cpp: what root's agent takes without the flag. */
	if (!agent_flag(pid, "runtime_dir", place->runtime, sizeof(place->runtime)))
		snprintf(place->runtime, sizeof(place->runtime), "/var/run/mesos");
}

/* ---- files ---- */

static struct mesos_span tail_of(const char *path, size_t size, const struct fact_sink *sink)
{
	struct mesos_span tail = { 0 };
	int err = size ? file_tail(AT_FDCWD, path, 0, size, &tail) : 0;

	if (err < 0)
		emit_unread(sink, 0, 0, err, "the agent's log, %s", path);
	return tail;
}

/* What was rotated away before, then the file. */
static struct mesos_span file_read(const char *path, size_t max, const struct fact_sink *sink)
{
	struct mesos_span now = tail_of(path, max, sink), before, both = { 0 };
	char rotated[PATH_MAX + 2], *bytes;

	snprintf(rotated, sizeof(rotated), "%s.1", path);
	before = tail_of(rotated, max - now.len, sink);
	if (!before.p)
		return now;
	bytes = malloc(before.len + now.len);
	if (bytes) {
		memcpy(bytes, before.p, before.len);
		if (now.len)
			memcpy(bytes + before.len, now.p, now.len);
		both = mesos_span_at(bytes, before.len + now.len);
	}
	file_tail_free(before);
	file_tail_free(now);
	return both;
}

/* glog makes a link NAME.INFO to its newest file, which has every line. */
static struct mesos_span dir_read(const char *dir, size_t max, const struct fact_sink *sink)
{
	static const char *const names[] = { "mesos-agent.INFO", "mesos-slave.INFO" };
	struct mesos_span text = { 0 };
	char path[PATH_MAX + 32];

	for (size_t i = 0; !text.p && i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		text = tail_of(path, max, sink);
	}
	return text;
}

/* ---- the journal ---- */

size_t agent_log_of_journal(struct mesos_span json, char *text)
{
	struct mesos_span line;
	size_t used = 0;

	while (mesos_span_cut(&json, '\n', &line)) {
		json_t *entry = jsonval_load(line.p, line.len, 0, NULL);
		const char *message = json_string_value(json_object_get(entry, "MESSAGE"));
		size_t len = message ? strlen(message) : 0;

		if (len) {
			memcpy(text + used, message, len);
			text[used + len] = '\n';
			used += len + 1;
		}
		json_decref(entry);
	}
	return used;
}

/* In a child. */
static int journal_work(void *ctx, int out)
{
	char *argv[] = { "journalctl", "-q",   "-b", "--no-pager", "-n", "1000",
			 "-o",	       "json", "-u", ctx,	   NULL };

	return bounded_exec(argv, out);
}

static struct mesos_span journal_read(const char *unit, size_t max)
{
	struct mesos_span text = { 0 };
	char *json = malloc(JOURNAL_MAX), *bytes = NULL;
	int len = json ? bounded_text(JOURNAL_MS, 0, journal_work, (void *)(uintptr_t)unit, json,
				      JOURNAL_MAX)
		       : 0;
	size_t used;

	if (len > 0)
		bytes = malloc((size_t)len + 1);
	if (bytes) {
		used = agent_log_of_journal(mesos_span_at(json, (size_t)len), bytes);
		if (used > max)
			memmove(bytes, bytes + used - max, max);
		text = mesos_span_at(bytes, used > max ? max : used);
	}
	free(json);
	return text;
}

/* By the agent's descriptor while it lives: in a container the path is another. */
static const char *reachable(const struct agent_log_place *place, char *path)
{
	char now[PATH_MAX];

	file_of(place->pid, now, sizeof(now));
	return strcmp(now, place->file) == 0 ? proc_path(path, place->pid, 0, "fd/2") : place->file;
}

struct mesos_span agent_log_read(const struct agent_log_place *place, size_t max,
				 const char **source, const struct fact_sink *sink)
{
	struct mesos_span text = { 0 };
	char path[PROC_PATH_MAX];

	*source = "stderr";
	if (*place->file)
		text = file_read(reachable(place, path), max, sink);
	if (!text.p && *place->dir) {
		*source = "log_dir";
		text = dir_read(place->dir, max, sink);
	}
	if (!text.p && *place->unit) {
		*source = "journal";
		text = journal_read(place->unit, max);
	}
	return text;
}

/* ---- the last word ---- */

/* A line of glog of level E or F. */
static bool is_error(struct mesos_span line)
{
	return line.len > 5 && (line.p[0] == 'E' || line.p[0] == 'F') && line.p[1] >= '0' &&
	       line.p[1] <= '9' && line.p[4] >= '0' && line.p[4] <= '9';
}

/* The last one may lack its end. */
static bool line_next(struct mesos_span *log, struct mesos_span *line)
{
	if (mesos_span_cut(log, '\n', line))
		return true;
	*line = *log;
	log->len = 0;
	return line->len > 0;
}

/*
 * EXIT() writes "Failed to perform recovery: …" (Mesos slave/slave.cpp, __recover()), and after it
 * some lines of advice. Without such a line the last error; without one the last line.
 */
struct mesos_span agent_log_last_word(struct mesos_span log)
{
	struct mesos_span line, last = { 0 }, error = { 0 }, recovery = { 0 };

	while (line_next(&log, &line)) {
		if (!line.len)
			continue;
		last = line;
		if (is_error(line))
			error = line;
		if (mesos_span_find(line, failed))
			recovery = line;
	}
	return recovery.p ? recovery : error.p ? error : last;
}

void agent_log_emit(const struct agent_log_place *place, int32_t pid, uint64_t start,
		    const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_AGENT_LOG };
	const char *source;
	struct mesos_span log = agent_log_read(place, LAST_WORD_MAX, &source, sink), word;
	char text[512];

	word = agent_log_last_word(log);
	if (word.p) {
		snprintf(text, sizeof(text), "%.*s", (int)(word.len < 400 ? word.len : 400),
			 word.p);
		fact.mono = now_mono();
		fact.agent_log.pid = pid;
		fact.agent_log.start = start;
		fact.agent_log.source = source;
		fact.agent_log.text = text;
		fact_emit(sink, &fact);
	}
	file_tail_free(log);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "base/array.h"
#include "base/error.h"
#include "base/safe_dir.h"
#include "base/factjson.h"
#include "base/now.h"
#include "base/jsonval.h"
#include "base/walltime.h"

/* A boot's clocks keep their distance but for corrections; those of two boots differ by more. */
#define CLOCK_STEP_MAX (10 * NS_PER_S)

/* When the line was written, wall ns; 0: it does not say. */
static int64_t written_at(const char *line, size_t len)
{
	json_t *json = jsonval_load(line, len, 0, NULL);
	const char *ts = json_string_value(json_object_get(json, "ts"));
	int64_t wall = 0;

	if (!ts || walltime_parse(ts, &wall) < 0)
		wall = 0;
	json_decref(json);
	return wall;
}

static bool is_done(const struct fact *fact)
{
	return fact->type == FACT_ACT && strcmp(fact->act.phase, "result") == 0 &&
	       (strcmp(fact->act.result, "done") == 0 || strcmp(fact->act.result, "held") == 0);
}

/* A damaged line may hold any number. */
static bool is_of_this_boot(const struct fact *fact, int64_t wall, int64_t wall_offset)
{
	int64_t offset, step;

	return wall && !__builtin_sub_overflow(wall, fact->mono, &offset) &&
	       !__builtin_sub_overflow(offset, wall_offset, &step) && step < CLOCK_STEP_MAX &&
	       step > -CLOCK_STEP_MAX;
}

/* The lines of a log, one after the other. */
struct lines {
	struct factjson_reader *reader;
	int64_t wall_offset;
	const char *text;
	size_t len;
};

/* Of the next act of this boot. Returns the line, with its length; NULL: there is none. */
static const char *lines_next(struct lines *lines, struct fact *ret, size_t *ret_len)
{
	while (lines->len) {
		const char *line = lines->text, *end = memchr(line, '\n', lines->len);
		size_t len = end ? (size_t)(end - line) : lines->len, unknown;

		lines->text += len + (end != NULL);
		lines->len -= len + (end != NULL);
		*ret_len = len;
		if (factjson_read(lines->reader, line, len, ret, &unknown, NULL) == 0 &&
		    ret->type == FACT_ACT &&
		    is_of_this_boot(ret, written_at(line, len), lines->wall_offset))
			return line;
	}
	return NULL;
}

static void done_emit(struct lines *lines, const struct fact_sink *sink)
{
	struct fact fact;
	size_t len;

	while (lines_next(lines, &fact, &len))
		if (is_done(&fact))
			fact_emit(sink, &fact);
}

/* An intent that no result has followed yet. */
struct intent {
	int32_t pid;
	uint64_t start, inode;
	const char *line;
	size_t len;
};

struct intents {
	struct intent *v;
	size_t n, cap;
};

static void intent_remove(struct intents *open, const struct fact_act *act)
{
	for (size_t i = 0; i < open->n; i++)
		if (open->v[i].pid == act->pid && open->v[i].start == act->start &&
		    open->v[i].inode == act->inode) {
			open->v[i] = open->v[--open->n];
			return;
		}
}

static int intent_add(struct intents *open, const struct fact_act *act, const char *line,
		      size_t len)
{
	intent_remove(open, act);
	if (strcmp(act->reason_id, "guard") == 0)
		return 0;
	if (array_reserve(&open->v, &open->cap, open->n, sizeof(*open->v)) < 0)
		return -ENOMEM;
	open->v[open->n++] = (struct intent){ act->pid, act->start, act->inode, line, len };
	return 0;
}

static int by_line(const void *a, const void *b)
{
	const struct intent *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

static int open_emit(struct lines *lines, const struct fact_sink *sink)
{
	struct intents open = { 0 };
	const char *line;
	struct fact fact;
	size_t len;
	int err = 0;

	while (!err && (line = lines_next(lines, &fact, &len))) {
		if (strcmp(fact.act.phase, "intent") == 0)
			err = intent_add(&open, &fact.act, line, len);
		else
			intent_remove(&open, &fact.act);
	}
	if (open.n)
		qsort(open.v, open.n, sizeof(*open.v), by_line);
	for (size_t i = 0; !err && i < open.n; i++)
		if (factjson_read(lines->reader, open.v[i].line, open.v[i].len, &fact, &len,
				  NULL) == 0)
			fact_emit(sink, &fact);
	free(open.v);
	return err;
}

/* The last AUDIT_LOG_READ_MAX bytes. A line that begins before them is damaged, and passed over. */
static ssize_t tail_read(int fd, char **ret)
{
	struct stat st;
	off_t at;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -errno;
	at = st.st_size > AUDIT_LOG_READ_MAX ? st.st_size - AUDIT_LOG_READ_MAX : 0;
	*ret = malloc((size_t)(st.st_size - at) + 1);
	if (!*ret)
		return -ENOMEM;
	got = pread(fd, *ret, (size_t)(st.st_size - at), at);
	return got < 0 ? -errno : got;
}

static int log_read(const char *dir, int64_t wall_offset, bool intents,
		    const struct fact_sink *sink, struct error *error)
{
	struct lines lines = { .reader = factjson_reader_new(), .wall_offset = wall_offset };
	char path[4096], *text = NULL;
	ssize_t len = -ENOMEM;
	struct error unsafe = { 0 };
	int above = safe_dir_open(dir, 0, "--state-dir", &unsafe), fd = -1;

	snprintf(path, sizeof(path), "%s/audit.log", dir);
	if (lines.reader) {
		fd = above < 0 ? above : safe_file_open(above, "audit.log", O_RDONLY, 0);
		len = fd < 0 ? fd : tail_read(fd, &text);
	}
	lines.text = text;
	lines.len = len > 0 ? (size_t)len : 0;
	if (len > 0 && !intents)
		done_emit(&lines, sink);
	else if (len > 0)
		len = open_emit(&lines, sink);
	if (fd >= 0)
		close(fd);
	if (above >= 0)
		close(above);
	free(text);
	factjson_reader_free(lines.reader);
	if (above < 0 && above != -ENOENT) {
		*error = unsafe;
		return above;
	}
	if (len < 0 && len != -ENOENT)
		return error_set(error, (int)len, "run as root", "read audit log '%s'", path);
	return 0;
}

int audit_log_read(const char *dir, int64_t wall_offset, const struct fact_sink *sink,
		   struct error *error)
{
	return log_read(dir, wall_offset, false, sink, error);
}

int audit_log_read_open(const char *dir, int64_t wall_offset, const struct fact_sink *sink,
			struct error *error)
{
	return log_read(dir, wall_offset, true, sink, error);
}

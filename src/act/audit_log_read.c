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
	       strcmp(fact->act.result, "done") == 0;
}

/* A damaged line may hold any number. */
static bool is_of_this_boot(const struct fact *fact, int64_t wall, int64_t wall_offset)
{
	int64_t offset, step;

	return wall && !__builtin_sub_overflow(wall, fact->mono, &offset) &&
	       !__builtin_sub_overflow(offset, wall_offset, &step) && step < CLOCK_STEP_MAX &&
	       step > -CLOCK_STEP_MAX;
}

static void lines_emit(const char *text, size_t len, int64_t wall_offset,
		       struct factjson_reader *reader, const struct fact_sink *sink)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t size = end ? (size_t)(end - text) : len, unknown;
		struct fact fact;

		if (factjson_read(reader, text, size, &fact, &unknown, NULL) == 0 &&
		    is_done(&fact) && is_of_this_boot(&fact, written_at(text, size), wall_offset))
			fact_emit(sink, &fact);
		size += end != NULL;
		text += size;
		len -= size;
	}
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

int audit_log_read(const char *dir, int64_t wall_offset, const struct fact_sink *sink,
		   struct error *error)
{
	struct factjson_reader *reader = factjson_reader_new();
	char path[4096], *text = NULL;
	ssize_t len = -ENOMEM;
	struct error unsafe = { 0 };
	int above = safe_dir_open(dir, 0, "--state-dir", &unsafe), fd = -1;

	snprintf(path, sizeof(path), "%s/audit.log", dir);
	if (reader) {
		fd = above < 0 ? above : safe_file_open(above, "audit.log", O_RDONLY, 0);
		len = fd < 0 ? fd : tail_read(fd, &text);
	}
	if (len > 0)
		lines_emit(text, (size_t)len, wall_offset, reader, sink);
	if (fd >= 0)
		close(fd);
	if (above >= 0)
		close(above);
	free(text);
	factjson_reader_free(reader);
	if (above < 0 && above != -ENOENT) {
		*error = unsafe;
		return above;
	}
	if (len < 0 && len != -ENOENT)
		return error_set(error, (int)len, "run as root", "read audit log '%s'", path);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/driver_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/now.h"
#include "base/proc.h"

#define READ_MAX    (1 << 16)
#define ANSWER_MS   2000
#define READ_PAUSE  (10 * NS_PER_MS)
#define READER_LIFE (60 * NS_PER_S) /* in case that nobody ends it */

/* ---- the child's ---- */

/* The file, if its stderr is one; *end: where it ends now. */
static int log_open(pid_t pid, off_t *end)
{
	char path[PROC_PATH_MAX];
	struct stat st;
	int fd;

	proc_path(path, pid, 0, "fd/2");
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	*end = st.st_size;
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* "Executor re-registered on agent S0", "… on slave S0", "Executor reregistered on agent S0" */
static bool has_line(int fd, off_t from)
{
	static char text[READ_MAX + 1];
	ssize_t len = pread(fd, text, READ_MAX, from);

	if (len <= 0)
		return false;
	text[len] = '\0';
	for (char *at = text; at < text + len; at += strlen(at) + 1)
		if (strstr(at, "Executor re-registered on ") ||
		    strstr(at, "Executor reregistered on "))
			return true;
	return false;
}

enum { TELL_NONE = 'n', TELL_BEGUN = 'b', TELL_LINE = 'l' };

static int tell(int out, char byte)
{
	return write(out, &byte, 1) == 1 ? 0 : 1;
}

static int log_read(void *ctx, int out)
{
	const struct timespec pause = { .tv_nsec = READ_PAUSE };
	const pid_t *pid = ctx;
	int64_t until = now_mono() + READER_LIFE;
	off_t from;
	int fd = log_open(*pid, &from);

	if (fd < 0)
		return tell(out, TELL_NONE);
	if (tell(out, TELL_BEGUN))
		return 1;
	while (!has_line(fd, from)) {
		if (now_mono() > until)
			return 1;
		nanosleep(&pause, NULL);
	}
	return tell(out, TELL_LINE);
}

/* ---- the caller's ---- */

void driver_log_begin(struct driver_log *log, pid_t pid)
{
	int byte = -1;

	*log = (struct driver_log){ 0 };
	if (bounded_begin(&log->reader, log_read, &pid) == 0)
		byte = bounded_byte(&log->reader, ANSWER_MS);
	if (byte == TELL_BEGUN)
		log->state = DRIVER_LOG_READ;
	else if (byte == TELL_NONE)
		log->state = DRIVER_LOG_NONE;
	if (byte != TELL_BEGUN)
		driver_log_end(log);
}

bool driver_log_reregistered(struct driver_log *log, int wait_ms)
{
	return log->reader.pid && bounded_byte(&log->reader, wait_ms) == TELL_LINE;
}

void driver_log_end(struct driver_log *log)
{
	bounded_drop(&log->reader);
}

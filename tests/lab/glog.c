/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "glog.h"

#include "buf.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void glog(bool year, char level, const char *where, const char *fmt, ...)
{
	struct buf line = { 0 };
	struct timespec ts;
	struct tm tm;
	char day[32];
	va_list ap;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(day, sizeof(day), year ? "%Y%m%d %H:%M:%S" : "%m%d %H:%M:%S", &tm);
	buf_fmt(&line, "%c%s.%06ld %5ld %s] ", level, day, ts.tv_nsec / 1000, syscall(SYS_gettid),
		where);
	va_start(ap, fmt);
	buf_vfmt(&line, fmt, ap);
	va_end(ap);
	buf_str(&line, "\n");
	while (write(STDERR_FILENO, line.data, line.len) < 0 && errno == EINTR)
		;
	buf_free(&line);
}

double wall_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/units.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/now.h"

const char *units_duration(int64_t ns, char *buf)
{
	int64_t s = ns / NS_PER_S;

	if (ns < 0)
		snprintf(buf, UNITS_MAX, "-");
	else if (s < 60)
		snprintf(buf, UNITS_MAX, "%d s", (int)s);
	else if (s < 3600)
		snprintf(buf, UNITS_MAX, "%d:%02d", (int)(s / 60), (int)(s % 60));
	else if (s < 86400)
		snprintf(buf, UNITS_MAX, "%d h %d m", (int)(s / 3600), (int)(s / 60 % 60));
	else
		snprintf(buf, UNITS_MAX, "%lld d %d h", (long long)(s / 86400),
			 (int)(s / 3600 % 24));
	return buf;
}

const char *units_instant(int64_t ns, char *buf)
{
	if (ns < 0)
		snprintf(buf, UNITS_MAX, "-");
	else if (ns < 1000000)
		snprintf(buf, UNITS_MAX, "%d us", (int)(ns / 1000));
	else if (ns < NS_PER_S)
		snprintf(buf, UNITS_MAX, "%.1f ms", (double)ns / 1e6);
	else
		snprintf(buf, UNITS_MAX, "%.1f s", (double)ns / 1e9);
	return buf;
}

static const char *time_format(int64_t wall, const char *format, char *buf)
{
	time_t seconds = (time_t)(wall / NS_PER_S - (wall % NS_PER_S < 0)); /* rounded down */
	struct tm tm;

	gmtime_r(&seconds, &tm);
	/* The formats are this file's own two. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (!strftime(buf, UNITS_MAX, format, &tm))
		*buf = '\0';
#pragma GCC diagnostic pop
	return buf;
}

const char *units_time(int64_t wall, char *buf)
{
	return time_format(wall, "%Y-%m-%d %H:%M:%S UTC", buf);
}

const char *units_clock(int64_t wall, char *buf)
{
	return time_format(wall, "%H:%M:%SZ", buf);
}

/* a - b, limited to -INT64_MAX and INT64_MAX, so that its negation does not overflow either. */
static int64_t difference(int64_t a, int64_t b)
{
	int64_t ret;

	if (__builtin_sub_overflow(a, b, &ret))
		return a < b ? -INT64_MAX : INT64_MAX;
	return ret == INT64_MIN ? -INT64_MAX : ret;
}

const char *units_until(int64_t deadline, int64_t now, char *buf)
{
	int64_t left = difference(deadline, now);
	char duration[UNITS_MAX];

	if (left > -NS_PER_S && left < NS_PER_S)
		snprintf(buf, UNITS_MAX, "now");
	else if (left > 0)
		snprintf(buf, UNITS_MAX, "in %.50s", units_duration(left, duration));
	else
		snprintf(buf, UNITS_MAX, "%.50s ago", units_duration(-left, duration));
	return buf;
}

const char *units_status(int32_t status, char *buf)
{
	if (status < 0)
		snprintf(buf, UNITS_MAX, "unknown status");
	else if (WIFEXITED(status))
		snprintf(buf, UNITS_MAX, "exit code %d", WEXITSTATUS(status));
	else
		snprintf(buf, UNITS_MAX, "signal %d", WTERMSIG(status));
	return buf;
}

const char *units_tcp_state(uint32_t state)
{
	static const char *const names[] = {
		"UNKNOWN",   "ESTABLISHED", "SYN_SENT",	    "SYN_RECV",	  "FIN_WAIT1",
		"FIN_WAIT2", "TIME_WAIT",   "CLOSE",	    "CLOSE_WAIT", "LAST_ACK",
		"LISTEN",    "CLOSING",	    "NEW_SYN_RECV",
	};

	return names[state < sizeof(names) / sizeof(names[0]) ? state : 0];
}

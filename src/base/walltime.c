/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/walltime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/now.h"

int64_t walltime_offset(void)
{
	return now_wall() - now_mono();
}

const char *walltime_text(int64_t wall, char *buf)
{
	int64_t ns = wall % NS_PER_S;
	time_t seconds = (time_t)(wall / NS_PER_S);
	struct tm tm;
	size_t len;

	if (ns < 0) { /* before 1970 */
		ns += NS_PER_S;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	len = strftime(buf, WALLTIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, WALLTIME_TEXT_MAX - len, ".%03dZ", (int)(ns / 1000000));
	return buf;
}

/* ".123Z" or "Z"; digits beyond the ninth are of no use to anybody. */
static int fraction_parse(const char *text, int64_t *ns)
{
	int64_t unit = NS_PER_S / 10;
	int64_t value = 0;

	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9' && unit; text++, unit /= 10)
			value += (*text - '0') * unit;
	}
	if (strcmp(text, "Z") != 0)
		return -EINVAL;
	*ns = value;
	return 0;
}

int walltime_parse(const char *text, int64_t *wall)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ns;

	/* Within what 64 bits of nanoseconds hold. */
	if (!rest || tm.tm_year < 0 || tm.tm_year > 2200 - 1900 || fraction_parse(rest, &ns) < 0)
		return -EINVAL;
	*wall = (int64_t)timegm(&tm) * NS_PER_S + ns;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/glog.h"

#include <errno.h>
#include <string.h>

/* Exactly n digits. */
static bool digits_take(struct mesos_span *line, size_t n, uint64_t *value)
{
	struct mesos_span digits = mesos_span_at(line->p, n);

	if (line->len < n || !mesos_span_number(&digits, UINT32_MAX, value) || digits.len)
		return false;
	*line = mesos_span_at(line->p + n, line->len - n);
	return true;
}

/* "20261012 " or, before glog 0.6, "1012 ". */
static bool date_take(struct mesos_span *line)
{
	uint64_t year, month, day;
	struct mesos_span date;

	if (!mesos_span_cut(line, ' ', &date))
		return false;
	if (date.len == 8 && !digits_take(&date, 4, &year))
		return false;
	return digits_take(&date, 2, &month) && digits_take(&date, 2, &day) && !date.len &&
	       month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool time_take(struct mesos_span *line)
{
	uint64_t hours, minutes, seconds, us;

	return digits_take(line, 2, &hours) && mesos_span_take(line, ":") &&
	       digits_take(line, 2, &minutes) && mesos_span_take(line, ":") &&
	       digits_take(line, 2, &seconds) && mesos_span_take(line, ".") &&
	       digits_take(line, 6, &us) && hours <= 23 && minutes <= 59 &&
	       seconds <= 60; /* a leap second */
}

/* Thread, file and line: "35513 exec.cpp:463] ". */
static bool place_take(struct mesos_span *line, struct mesos_span *file)
{
	uint64_t number;

	while (mesos_span_take(line, " "))
		;
	if (!mesos_span_number(line, UINT32_MAX, &number) || !mesos_span_take(line, " "))
		return false;
	if (!mesos_span_cut(line, ':', file) || file->len == 0 || memchr(file->p, ' ', file->len))
		return false;
	if (!mesos_span_number(line, UINT32_MAX, &number) || !mesos_span_take(line, "]"))
		return false;
	return mesos_span_take(line, " ") || line->len == 0;
}

static struct mesos_span line_end_cut(struct mesos_span line)
{
	while (line.len && memchr("\r\n", line.p[line.len - 1], 2))
		line.len--;
	return line;
}

int mesos_glog_parse(struct mesos_span line, struct mesos_glog *glog)
{
	struct mesos_span file;

	line = line_end_cut(line);
	if (line.len == 0 || !memchr("IWEF", *line.p, 4))
		return -EINVAL;
	line = mesos_span_at(line.p + 1, line.len - 1);
	if (!date_take(&line) || !time_take(&line) || !mesos_span_take(&line, " ") ||
	    !place_take(&line, &file))
		return -EINVAL;
	*glog = (struct mesos_glog){ .file = file, .text = line };
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/glog.h"

#include <errno.h>
#include <string.h>

#include "mesos/duration.h"

#define SECOND_US 1000000LL

/* Exactly n digits. */
static bool digits_take(struct mesos_span *line, size_t n, uint64_t *value)
{
	struct mesos_span digits = mesos_span_at(line->p, n);

	if (line->len < n || !mesos_span_number(&digits, UINT32_MAX, value) || digits.len)
		return false;
	*line = mesos_span_at(line->p + n, line->len - n);
	return true;
}

static bool date_take(struct mesos_span *line, struct mesos_glog *glog)
{
	uint64_t year = 0, month, day;
	struct mesos_span date;

	if (!mesos_span_cut(line, ' ', &date))
		return false;
	if (date.len == 8 && !digits_take(&date, 4, &year))
		return false;
	if (!digits_take(&date, 2, &month) || !digits_take(&date, 2, &day) || date.len)
		return false;
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	glog->year = (uint16_t)year;
	glog->month = (uint8_t)month;
	glog->day = (uint8_t)day;
	return true;
}

static bool time_take(struct mesos_span *line, struct mesos_glog *glog)
{
	uint64_t hours, minutes, seconds, us;

	if (!digits_take(line, 2, &hours) || !mesos_span_take(line, ":") ||
	    !digits_take(line, 2, &minutes) || !mesos_span_take(line, ":") ||
	    !digits_take(line, 2, &seconds) || !mesos_span_take(line, ".") ||
	    !digits_take(line, 6, &us))
		return false;
	if (hours > 23 || minutes > 59 || seconds > 60) /* 60: a leap second */
		return false;
	glog->time_of_day_us =
		(int64_t)((hours * 60 + minutes) * 60 + seconds) * SECOND_US + (int64_t)us;
	return true;
}

static bool place_take(struct mesos_span *line, struct mesos_glog *glog)
{
	uint64_t tid, number;

	while (mesos_span_take(line, " "))
		;
	if (!mesos_span_number(line, UINT32_MAX, &tid) || !mesos_span_take(line, " "))
		return false;
	if (!mesos_span_cut(line, ':', &glog->file) || glog->file.len == 0 ||
	    memchr(glog->file.p, ' ', glog->file.len))
		return false;
	if (!mesos_span_number(line, UINT32_MAX, &number) || !mesos_span_take(line, "]"))
		return false;
	glog->tid = (uint32_t)tid;
	glog->line = (uint32_t)number;
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
	struct mesos_glog read = {0};

	line = line_end_cut(line);
	if (line.len == 0 || !memchr("IWEF", *line.p, 4))
		return -EINVAL;
	read.severity = *line.p;
	line = mesos_span_at(line.p + 1, line.len - 1);
	if (!date_take(&line, &read) || !time_take(&line, &read) || !mesos_span_take(&line, " ") ||
	    !place_take(&line, &read))
		return -EINVAL;
	read.text = line;
	*glog = read;
	return 0;
}

/* "slave X" until 0.28, "agent X" since 1.0. */
static bool agent_take(struct mesos_span text, struct mesos_log *log)
{
	if (!mesos_span_take(&text, "slave ") && !mesos_span_take(&text, "agent "))
		return false;
	log->slave_id = text;
	return true;
}

/* The duration before word, which is taken too. */
static bool wait_take(struct mesos_span *text, const char *word, struct mesos_log *log)
{
	struct mesos_span duration;

	if (!mesos_span_cut(text, ' ', &duration) || !mesos_span_take(text, word))
		return false;
	if (mesos_duration_parse(duration, &log->wait_ns) < 0)
		log->wait_ns = 0;
	return true;
}

static enum mesos_log_kind exited_kind(struct mesos_span text, struct mesos_log *log)
{
	if (mesos_span_take(&text, " ... shutting down"))
		return MESOS_LOG_LOST_SHUTDOWN;
	if (!mesos_span_take(&text, ", but framework has checkpointing enabled. Waiting ") ||
	    !wait_take(&text, "to reconnect with ", log))
		return MESOS_LOG_OTHER;
	agent_take(text, log);
	return MESOS_LOG_WAITING;
}

static enum mesos_log_kind disconnected_kind(struct mesos_span text, struct mesos_log *log)
{
	const char *end = mesos_span_find(text, "; Shutting down");

	if (!mesos_span_take(&text, ": "))
		return text.len ? MESOS_LOG_OTHER : MESOS_LOG_DISCONNECTED;
	log->detail = end ? mesos_span_at(text.p, (size_t)(end - text.p)) : text;
	return end ? MESOS_LOG_LOST_SHUTDOWN : MESOS_LOG_DISCONNECTED;
}

/* What an executor says of its agent: exec.cpp. */
static enum mesos_log_kind link_kind(struct mesos_span text, struct mesos_log *log)
{
	if (mesos_span_take(&text, "Slave exited") || mesos_span_take(&text, "Agent exited"))
		return exited_kind(text, log);
	if (mesos_span_take(&text, "Disconnected from agent"))
		return disconnected_kind(text, log);
	if (mesos_span_take(&text, "Executor registered on "))
		return agent_take(text, log) ? MESOS_LOG_REGISTERED : MESOS_LOG_OTHER;
	if (mesos_span_take(&text, "Received reconnect request from "))
		return agent_take(text, log) ? MESOS_LOG_RECONNECT : MESOS_LOG_OTHER;
	/* "reregistered" since 1.5. */
	if (mesos_span_take(&text, "Executor re-registered on ") ||
	    mesos_span_take(&text, "Executor reregistered on "))
		return agent_take(text, log) ? MESOS_LOG_REREGISTERED : MESOS_LOG_OTHER;
	if (mesos_span_take(&text, "Recovery timeout of "))
		return wait_take(&text, "exceeded", log) ? MESOS_LOG_TIMEOUT : MESOS_LOG_OTHER;
	return MESOS_LOG_OTHER;
}

static enum mesos_log_kind endpoint_kind(struct mesos_span text, struct mesos_log *log)
{
	struct mesos_span url;

	if (!mesos_span_cut(&text, ' ', &url) ||
	    !mesos_span_take(&text, "for the executor API endpoint"))
		return MESOS_LOG_OTHER;
	log->detail = url;
	return MESOS_LOG_ENDPOINT;
}

static enum mesos_log_kind other_kind(struct mesos_span text, struct mesos_log *log)
{
	static const struct {
		const char *text;
		enum mesos_log_kind kind;
	} whole[] = {
		{"Executor asked to shutdown", MESOS_LOG_SHUTDOWN},
		{"Received SHUTDOWN event", MESOS_LOG_SHUTDOWN},
		{"Shutting down", MESOS_LOG_SHUTDOWN},
		{"Received SUBSCRIBED event", MESOS_LOG_SUBSCRIBED},
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++)
		if (mesos_span_is(text, whole[i].text))
			return whole[i].kind;
	if (mesos_span_take(&text, "End-Of-File received from agent"))
		return MESOS_LOG_DISCONNECTED;
	if (mesos_span_take(&text, "Using URL "))
		return endpoint_kind(text, log);
	return MESOS_LOG_OTHER;
}

/* Only the driver's own: the agent's main.cpp says "Version:" too. */
static bool is_version(const struct mesos_glog *at)
{
	return mesos_span_is(at->file, "exec.cpp") || mesos_span_is(at->file, "executor.cpp");
}

int mesos_log_parse(struct mesos_span line, struct mesos_log *log)
{
	struct mesos_log read = {0};
	struct mesos_span text;

	if (mesos_glog_parse(line, &read.at) < 0)
		return -EINVAL;
	text = read.at.text;
	if (mesos_span_take(&text, "Version: ") && is_version(&read.at)) {
		read.kind = MESOS_LOG_VERSION;
		read.detail = text;
	} else {
		read.kind = link_kind(read.at.text, &read);
		if (read.kind == MESOS_LOG_OTHER)
			read.kind = other_kind(read.at.text, &read);
	}
	*log = read;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/option_values.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/keepalive.h"
#include "base/now.h"
#include "cli/options.h"
#include "cli/suggest.h"
#include "mesos/duration.h"
#include "mesos/version.h"
#include "model/finding_table.h"
#include "show/format.h"

int option_refuse(char *message, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, OPTION_MESSAGE_MAX, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void option_list_add(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

int option_set_port(struct options *o, const char *value, char *message)
{
	char *end;
	unsigned long port = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || port < 1 || port > UINT16_MAX)
		return option_refuse(message, "port '%s' is not a number from 1 to 65535", value);
	o->port = (uint16_t)port;
	return 0;
}

int option_set_pid(struct options *o, const char *value, char *message)
{
	char *end;
	long pid = strtol(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || pid < 1 || pid > INT32_MAX)
		return option_refuse(
			message, "pid '%s' is not a process id; 'execwatch -v audit' lists them",
			value);
	o->choice.pid = (int32_t)pid;
	return 0;
}

/* "90s", "15m", "2h", "1d", and as Mesos writes durations: "15mins". */
static int duration_parse(const char *value, int64_t *ns)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = { { "s", NS_PER_S },
		      { "m", 60 * NS_PER_S },
		      { "h", 3600 * NS_PER_S },
		      { "d", 86400 * NS_PER_S } };
	char *end;
	unsigned long long number;

	if (mesos_duration_parse(mesos_span_of(value), ns) == 0)
		return *ns > 0 ? 0 : -EINVAL;
	if (*value < '0' || *value > '9')
		return -EINVAL;
	number = strtoull(value, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (number < 1 || number > (unsigned long long)(INT64_MAX / units[i].ns))
			return -EINVAL;
		*ns = (int64_t)number * units[i].ns;
		return 0;
	}
	return -EINVAL;
}

int option_set_master_timeout(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->master_timeout) < 0)
		return option_refuse(
			message, "master timeout '%s' is not a duration such as 75s or 5m", value);
	return 0;
}

int option_set_timeout(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->timeout) < 0 || o->timeout > 86400 * NS_PER_S)
		return option_refuse(message,
				     "timeout '%s' is not a duration such as 500ms or 30s, a day "
				     "at most",
				     value);
	return 0;
}

int option_set_until(struct options *o, const char *value, char *message)
{
	if (strcmp(value, "settled") == 0 || strcmp(value, "deadline") == 0) {
		o->until = *value == 's' ? UNTIL_SETTLED : UNTIL_DEADLINE;
		o->until_ns = 0;
		return 0;
	}
	if (duration_parse(value, &o->until_ns) < 0)
		return option_refuse(
			message,
			"until '%s' is not settled, deadline or a duration such as 90s or 20m",
			value);
	return 0;
}

struct word {
	const char *name;
	int value;
};

static const struct word methods[] = {
	{ "auto", INJECT_AUTO }, { "ptrace", INJECT_PTRACE }, { "pidfd", INJECT_PIDFD }, { 0 }
};
static const struct word treats[] = {
	{ "before", TREAT_BEFORE }, { "guard", TREAT_GUARD }, { "both", TREAT_BOTH }, { 0 }
};
static const struct word colours[] = {
	{ "auto", COLOUR_AUTO }, { "always", COLOUR_ALWAYS }, { "never", COLOUR_NEVER }, { 0 }
};

static int word_parse(const struct word *words, const char *what, const char *value, int *ret,
		      char *message)
{
	char list[128] = "";

	for (const struct word *w = words; w->name; w++) {
		if (strcmp(value, w->name) == 0) {
			*ret = w->value;
			return 0;
		}
		option_list_add(list, sizeof(list), w->name);
	}
	return option_refuse(message, "%s '%s' is none of: %s", what, value, list);
}

int option_set_format(struct options *o, const char *value, char *message)
{
	char list[128] = "";

	o->format = formatter_find(value);
	o->format_given = true;
	if (o->format)
		return 0;
	for (const struct formatter *f = formatters; f->name; f++)
		option_list_add(list, sizeof(list), f->name);
	return option_refuse(message, "format '%s' is none of: %s", value, list);
}

int option_set_method(struct options *o, const char *value, char *message)
{
	int method;

	if (word_parse(methods, "method", value, &method, message) < 0)
		return -EINVAL;
	o->method = (enum inject_method)method;
	return 0;
}

int option_set_treat(struct options *o, const char *value, char *message)
{
	int when;

	if (word_parse(treats, "treat", value, &when, message) < 0)
		return -EINVAL;
	o->treat = (enum treat_when)when;
	return 0;
}

int option_set_colour(struct options *o, const char *value, char *message)
{
	int colour;

	if (word_parse(colours, "color", value, &colour, message) < 0)
		return -EINVAL;
	o->colour = (enum colour)colour;
	return 0;
}

static const char *verdict_at(const void *ctx, size_t i)
{
	(void)ctx;
	return i < VERDICT_COUNT ? verdict_name((enum verdict)i) : NULL;
}

static int unknown_verdict(const char *name, char *message)
{
	const char *near = suggest(name, verdict_at, NULL);
	char list[256] = "";

	if (near)
		return option_refuse(message, "'%s' is no verdict; did you mean %s?", name, near);
	for (int i = 0; i < VERDICT_COUNT; i++)
		option_list_add(list, sizeof(list), verdict_name((enum verdict)i));
	return option_refuse(message, "'%s' is no verdict; they are: %s", name, list);
}

static int verdicts_parse(const char *value, uint32_t *verdicts, char *message)
{
	char list[256], *rest = list, *name;

	if ((size_t)snprintf(list, sizeof(list), "%s", value) >= sizeof(list) || !*value)
		return option_refuse(message,
				     "'%.40s' is not a list of verdicts such as half-open,at-risk",
				     value);
	while ((name = strsep(&rest, ","))) {
		enum verdict verdict;

		if (!verdict_parse(name, &verdict))
			return unknown_verdict(name, message);
		*verdicts |= 1u << verdict;
	}
	return 0;
}

int option_set_select(struct options *o, const char *value, char *message)
{
	return verdicts_parse(value, &o->choice.verdicts, message);
}

int option_set_accept(struct options *o, const char *value, char *message)
{
	return verdicts_parse(value, &o->accepted, message);
}

static const char *finding_at(const void *ctx, size_t i)
{
	(void)ctx;
	return finding_id((enum finding)i);
}

/* Each id once, however often it is given. */
int option_set_ignore(struct options *o, const char *value, char *message)
{
	char list[sizeof(o->ignored)], *rest = list, *id;
	enum finding finding;

	if ((size_t)snprintf(list, sizeof(list), "%s", value) >= sizeof(list))
		return option_refuse(message, "ignore '%.40s...' is too long", value);
	while ((id = strsep(&rest, ","))) {
		const char *near = suggest(id, finding_at, NULL);
		size_t len = strlen(o->ignored);

		if (!finding_parse(id, &finding))
			return option_refuse(
				message, "'%s' is no finding%s%s%s; docs/findings.md lists them",
				id, near ? "; did you mean " : "", near ? near : "",
				near ? "?" : "");
		if (!finding_is_in(o->ignored, id))
			snprintf(o->ignored + len, sizeof(o->ignored) - len, "%s%s", len ? "," : "",
				 id);
	}
	return 0;
}

int option_set_next_version(struct options *o, const char *value, char *message)
{
	struct mesos_version version;

	if (mesos_version_parse(mesos_span_of(value), &version) < 0)
		return option_refuse(message, "version '%s' is not one of Mesos, such as 1.11.0",
				     value);
	o->next_version = value;
	return 0;
}

int option_set_next_env(struct options *o, const char *value, char *message)
{
	if (o->n_next_env == sizeof(o->next_env) / sizeof(*o->next_env))
		return option_refuse(message, "--next-env is given more than %zu times",
				     sizeof(o->next_env) / sizeof(*o->next_env));
	o->next_env[o->n_next_env++] = value;
	return 0;
}

int option_set_horizon(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->horizon) < 0)
		return option_refuse(message, "horizon '%s' is not a duration such as 90s or 20m",
				     value);
	return 0;
}

int option_set_hold_at(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->hold_at) < 0)
		return option_refuse(message, "hold time '%s' is not a duration such as 90s or 10m",
				     value);
	return 0;
}

int option_set_idle(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->keepidle) < 0 || o->keepidle % NS_PER_S ||
	    o->keepidle > KEEPALIVE_IDLE_MAX * NS_PER_S)
		return option_refuse(
			message,
			"idle time '%s' is not a duration from 1s to %us, in whole seconds", value,
			KEEPALIVE_IDLE_MAX);
	return 0;
}

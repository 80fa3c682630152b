/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The values of flags, of the running agent and of the next start. */
#include <string.h>

#include "base/arena.h"
#include "model/findings_next.h"

static const struct mesos_flag *row_of(const char *name)
{
	return mesos_flag_find(mesos_span_of(name));
}

const char *next_known_value(const struct fact_flag *flag)
{
	return flag && !*flag->problem ? flag->value : NULL;
}

const char *next_value(const struct next_subject *s, const char *name)
{
	const struct fact_flag *flag = store_flag(s->store, s->agent, true, name);

	if (flag)
		return next_known_value(flag);
	return s->next->known == EW_YES ? row_of(name)->preset : NULL;
}

const char *running_value(const struct next_subject *s, const char *name)
{
	const struct fact_flag *flag = store_flag(s->store, s->agent, false, name);

	return flag ? next_known_value(flag) : row_of(name)->preset;
}

/* "/var/lib//mesos/" is "/var/lib/mesos", /var/run is /run. */
static bool same_path(const char *a, const char *b)
{
	a += strncmp(a, "/var/run/", 9) == 0 ? 4 : 0;
	b += strncmp(b, "/var/run/", 9) == 0 ? 4 : 0;
	for (;; a++, b++) {
		while (*a == '/' && (a[1] == '/' || !a[1]))
			a++;
		while (*b == '/' && (b[1] == '/' || !b[1]))
			b++;
		if (*a != *b || !*a)
			return *a == *b;
	}
}

static bool same_value(const struct mesos_flag *row, const char *a, const char *b)
{
	char buf_a[1024], buf_b[1024];

	if (row->kind == MESOS_FLAG_PATH)
		return same_path(a, b);
	return strcmp(mesos_flag_canonical(row, a, buf_a, sizeof(buf_a)),
		      mesos_flag_canonical(row, b, buf_b, sizeof(buf_b))) == 0;
}

enum ew_tri next_changes(const struct next_subject *s, const char *name)
{
	const struct fact_flag *next = store_flag(s->store, s->agent, true, name);
	const char *old = running_value(s, name), *now = next_known_value(next);
	const struct fact_flag *given = store_flag_given(s->store, s->agent, name);

	if (!next && s->next->known != EW_YES)
		return EW_UNKNOWN;
	if (!next && (!given || !*given->value))
		return EW_NO; /* both take the default */
	if (!next && row_of(name)->preset)
		now = row_of(name)->preset;
	else if (!next)
		return EW_YES; /* no longer given */
	if (!old || !now)
		return EW_UNKNOWN;
	return same_value(row_of(name), old, now) ? EW_NO : EW_YES;
}

bool next_is_true(const char *value)
{
	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

void next_finding(const struct next_subject *s, enum finding finding, enum severity severity,
		  const char *evidence, const char *cure)
{
	finding_add(s->store, s->report, finding, severity, evidence, cure);
}

const char *next_change_text(const struct next_subject *s, const char *name)
{
	const struct fact_flag *next = store_flag(s->store, s->agent, true, name);
	const char *old = running_value(s, name), *now = next_value(s, name);

	return arena_printf(s->arena, "%s%s is %s, and will be %s%s%s%s.",
			    mesos_flag_is_variable(row_of(name)) ? "" : "--", name,
			    old && *old ? old : "not given", now && *now ? now : "not given",
			    next ? " (" : "", next ? next->source : "", next ? ")" : "");
}

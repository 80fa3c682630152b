/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/emit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/now.h"
#include "facts.h"

static void unread(const struct fact_sink *sink, int32_t pid, uint64_t cookie, const char *object,
		   const char *reason)
{
	struct fact fact = { .type = FACT_UNREAD, .mono = now_mono() };

	fact.unread.object = object;
	fact.unread.reason = reason;
	fact.unread.pid = pid;
	fact.unread.cookie = cookie;
	fact_emit(sink, &fact);
}

void emit_unread(const struct fact_sink *sink, int32_t pid, uint64_t cookie, int err,
		 const char *object_fmt, ...)
{
	char object[512], reason[128];
	va_list args;

	va_start(args, object_fmt);
	vsnprintf(object, sizeof(object), object_fmt, args);
	va_end(args);
	if (err == -EACCES || err == -EPERM)
		snprintf(reason, sizeof(reason), "%s; run as root, or see 'execwatch doctor'",
			 strerror(-err));
	else
		snprintf(reason, sizeof(reason), "%s", strerror(-err));
	unread(sink, pid, cookie, object, reason);
}

void emit_corrupt(const struct fact_sink *sink, int32_t pid, const char *object, const char *reason)
{
	unread(sink, pid, 0, object, reason);
}

void emit_failed(const struct fact_sink *sink, const char *object, const struct error *error)
{
	char reason[640];

	emit_corrupt(sink, 0, object, error_text(error, reason, sizeof(reason)));
}

void emit_hook(const struct fact_sink *sink, const char *hook, const char *program,
	       const char *reason, bool best_effort)
{
	struct fact fact = { .type = FACT_HOOK, .mono = now_mono() };

	fact.hook.hook = hook;
	fact.hook.program = program;
	fact.hook.reason = reason ? reason : "";
	fact.hook.best_effort = best_effort;
	fact_emit(sink, &fact);
}

void emit_lost(const struct fact_sink *sink, int64_t mono, const char *cause, uint64_t lost,
	       uint64_t seen)
{
	struct fact fact = { .type = FACT_LOST, .mono = mono };

	fact.lost.cause = cause;
	fact.lost.lost = lost;
	fact.lost.seen = seen;
	fact_emit(sink, &fact);
}

bool emit_lost_changes(const struct fact_sink *sink, bool all, const char *cause, uint64_t lost,
		       uint64_t seen, uint64_t *reported)
{
	bool changed = lost != *reported;

	*reported = lost;
	if (changed || all)
		emit_lost(sink, now_mono(), cause, lost, seen);
	return changed;
}

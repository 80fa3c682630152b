/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts that several observers emit. Each is stamped with the present time. */
#ifndef EW_BASE_EMIT_H
#define EW_BASE_EMIT_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct fact_sink;

/*
 * FACT_UNREAD: object could not be read, err (negative errno) says why. pid and cookie name whose
 * evidence is missing, 0 where it is not one process' or one socket's.
 */
void emit_unread(const struct fact_sink *sink, int32_t pid, uint64_t cookie, int err,
		 const char *object_fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same with the reason in words, for damage that has no errno. */
void emit_corrupt(const struct fact_sink *sink, int32_t pid, const char *object,
		  const char *reason);

/* The same with an error as the reason. object: "sockets by BPF". */
void emit_failed(const struct fact_sink *sink, const char *object, const struct error *error);

/*
 * FACT_HOOK: program serves the hook named hook. program "": nothing does, and reason says why;
 * otherwise reason says why nothing better does. reason NULL is as "". best_effort: events may be
 * missed without being counted.
 */
void emit_hook(const struct fact_sink *sink, const char *hook, const char *program,
	       const char *reason, bool best_effort);

/* FACT_LOST: lost events of this cause in total, none later than mono; seen 0: not counted. */
void emit_lost(const struct fact_sink *sink, int64_t mono, const char *cause, uint64_t lost,
	       uint64_t seen);

/*
 * The same, of now, when lost differs from *reported or all is set. Sets *reported to lost and
 * returns true when they differed.
 */
bool emit_lost_changes(const struct fact_sink *sink, bool all, const char *cause, uint64_t lost,
		       uint64_t seen, uint64_t *reported);

#endif

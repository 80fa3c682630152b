/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The audit log: one line of JSON before each act and one after it, with ts, by_pid and by_uid (of
 * the execwatch that acts) and the fields of struct fact_act.
 */
#ifndef EW_ACT_AUDIT_LOG_H
#define EW_ACT_AUDIT_LOG_H

#include <stddef.h>
#include <stdint.h>

struct audit_log;
struct fact;
struct fact_sink;
struct error;

/* Opens DIR/audit.log to append to. File (0600) and directory (0700) are created if missing. */
int audit_log_open(const char *dir, struct audit_log **ret, struct error *error);
/* NULL is allowed. Lines that were not synced may be lost at a power failure. */
void audit_log_close(struct audit_log *log);

/*
 * Writes one line, whole or not at all: after a failed write (disk full) the file ends as before.
 * The line of a result that could not be written is kept in memory; it is written before the next
 * line, or by audit_log_retry(). An intent is not kept: an act without one is not begun.
 */
int audit_log_write(struct audit_log *log, const struct fact *act, struct error *error);

/* The same for an act of the past, of which the fact has the time: ts is that. */
int audit_log_write_late(struct audit_log *log, const struct fact *act, struct error *error);

/* When it was opened, mono ns. */
int64_t audit_log_opened(const struct audit_log *log);
/* How many results are kept in memory. */
size_t audit_log_unwritten(const struct audit_log *log);

/* Tries to write these, and syncs. Returns 0, or why some are still kept. */
int audit_log_retry(struct audit_log *log, struct error *error);

/* Flushes to disk. An act is begun only after the sync of its intent. */
int audit_log_sync(struct audit_log *log, struct error *error);

/*
 * Emits the FACT_ACT of each act that was done in this boot, as it was written: its mono is when it
 * was done. Of another boot is a line whose two clocks have another distance: wall_offset is
 * CLOCK_REALTIME minus CLOCK_MONOTONIC now, ns. Reads the last AUDIT_LOG_READ_MAX bytes; damaged
 * lines are passed over. Returns 0, also without a log; a negative errno with *error when there is
 * one and it cannot be read.
 */
#define AUDIT_LOG_READ_MAX (16 << 20)
int audit_log_read(const char *dir, int64_t wall_offset, const struct fact_sink *sink,
		   struct error *error);

/*
 * The same for each intent that no result follows: whoever wrote it was killed, or acts right now.
 * Not those of an armed guard, which has a file of its own (act/armed_file.h).
 */
int audit_log_read_open(const char *dir, int64_t wall_offset, const struct fact_sink *sink,
			struct error *error);

#endif

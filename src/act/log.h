/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The audit log: a line of JSON for each act before and after it, each with ts, by (pid and uid of
 * who acts) and the fields of struct fact_act.
 */
#ifndef EW_ACT_LOG_H
#define EW_ACT_LOG_H

struct act_log;
struct fact;
struct fail;

/* Appends to DIR/audit.log, which is made (0600) if missing, as is DIR. */
int act_log_open(const char *dir, struct act_log **ret, struct fail *why);
/* NULL is fine. What was written and not synced may be lost with the machine's power. */
void act_log_close(struct act_log *log);

/* One line, whole or not at all: after a failed write (disk full) the file ends as before. */
int act_log_write(struct act_log *log, const struct fact *act, struct fail *why);

/* To the disk. An act is begun only after the sync of its intent. */
int act_log_sync(struct act_log *log, struct fail *why);

#endif

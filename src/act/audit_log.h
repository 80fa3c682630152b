/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The audit log: a line of JSON for each act before and after it, each with ts, by (pid and uid of
 * who acts) and the fields of struct fact_act.
 */
#ifndef EW_ACT_AUDIT_LOG_H
#define EW_ACT_AUDIT_LOG_H

struct audit_log;
struct fact;
struct error;

/* Appends to DIR/audit.log, which is made (0600) if missing, as is DIR. */
int audit_log_open(const char *dir, struct audit_log **ret, struct error *error);
/* NULL is fine. What was written and not synced may be lost with the machine's power. */
void audit_log_close(struct audit_log *log);

/* One line, whole or not at all: after a failed write (disk full) the file ends as before. */
int audit_log_write(struct audit_log *log, const struct fact *act, struct error *error);

/* To the disk. An act is begun only after the sync of its intent. */
int audit_log_sync(struct audit_log *log, struct error *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Audits are kept in the state directory, one for each agent process (record/baseline.h), where
 * verify finds them.
 *
 * An audit becomes its agent's baseline only if it lists what a restart concerns: an agent listens,
 * has finished its recovery, and sockets and processes could be read. Others are not kept, so that
 * they hide no executor that an earlier audit listed.
 */
#ifndef EW_CLI_BASELINE_H
#define EW_CLI_BASELINE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct options;
struct report;
struct session;

/*
 * Keeps the report in the state directory, and in the file of --baseline. False, after a message,
 * when the latter failed; a state directory that cannot be written is a warning.
 */
bool baseline_report_save(const struct options *options, const struct session *session,
			  const struct report *report);
/* The same, with the report's indented document at hand. */
bool baseline_document_save(const struct options *options, const struct session *session,
			    const struct report *report, const char *document, size_t len);
/* The same for the report after a treatment: executors of the audit before it are kept in it. */
bool baseline_treated_save(const struct options *options, const struct session *session,
			   const struct report *audit, const struct report *report);

/*
 * Emits the baseline that verify compares with: the file of --baseline, else the newest audit of an
 * agent process that has ended, else the newest one of the agent process that runs. Returns 0, or
 * -ENOENT when there is none, or another negative errno.
 */
int baseline_take(const struct options *options, struct session *session, struct error *error);

#endif

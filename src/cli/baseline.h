/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Audits are kept in the state directory, where verify finds them. */
#ifndef EW_CLI_BASELINE_H
#define EW_CLI_BASELINE_H

#include <stdbool.h>
#include <stddef.h>

struct options;
struct report;
struct session;

/*
 * Keeps the report in the state directory, and where --baseline says. False, after a message, when
 * the latter failed; a state directory that cannot be written is a warning.
 */
bool baseline_report_save(const struct options *options, const struct session *session,
			  const struct report *report);
/* The same for a report whose indented document is at hand. */
bool baseline_document_save(const struct options *options, const struct session *session,
			    const char *document, size_t len);

#endif

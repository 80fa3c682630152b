/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The only place that prints messages: to standard error, each a line that begins with the tool's
 * name. */
#ifndef EW_CLI_MESSAGE_H
#define EW_CLI_MESSAGE_H

struct fail;

/* What failed, why, what to do; and that it is the end. */
void message_fail(const struct fail *why);
/* The same, when the work goes on without: ", going on without" is added. */
void message_without(const struct fail *why);
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

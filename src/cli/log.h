/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The only place that prints messages: to standard error, each a line that begins with the tool's
 * name. */
#ifndef EW_CLI_LOG_H
#define EW_CLI_LOG_H

struct error;

/* What failed, why, what to do: the verb ends. */
void log_error(const struct error *error);
/* The same with ", going on without" added: the verb goes on. */
void log_warning_without(const struct error *error);
void log_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From now on messages go to the system's log (journal, syslog) too, where there is one. */
void log_to_system(void);

/* The text of the last message; "" when there was none. */
const char *log_last(void);

#endif

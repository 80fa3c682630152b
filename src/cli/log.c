/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>

#include "base/error.h"

/* The last message, for a monitoring plugin's only line; a message can come from anywhere. */
static char last[512];
static bool to_system;

const char *log_last(void)
{
	return last;
}

void log_message(const char *fmt, ...)
{
	va_list ap;

	fputs("execwatch: ", stderr);
	va_start(ap, fmt);
	vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (to_system)
		syslog(LOG_NOTICE, "%s", last);
}

void log_to_system(void)
{
	if (!to_system)
		openlog("execwatch", LOG_PID, LOG_DAEMON);
	to_system = true;
}

void log_error(const struct error *error)
{
	char text[sizeof(*error) + 128];

	log_message("%s", error_text(error, text, sizeof(text)));
}

void log_warning_without(const struct error *error)
{
	char text[sizeof(*error) + 128];

	log_message("%s, going on without", error_text(error, text, sizeof(text)));
}

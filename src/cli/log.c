/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

/* The last message, for a monitoring plugin's only line; a message can come from anywhere. */
static char last[512];

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

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "fail.h"

void message(const char *fmt, ...)
{
	va_list ap;

	fputs("execwatch: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void message_fail(const struct fail *why)
{
	char text[sizeof(*why) + 128];

	message("%s", fail_text(why, text, sizeof(text)));
}

void message_without(const struct fail *why)
{
	char text[sizeof(*why) + 128];

	message("%s, going on without", fail_text(why, text, sizeof(text)));
}

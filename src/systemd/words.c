/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANK " \t\n\r"

/* A number of count digits in base 8 or 16. Returns it, or -EINVAL: too few digits, or a NUL. */
static int digits(const char *at, int count, int base)
{
	char text[4] = "", *end;
	long number;

	for (int i = 0; i < count && at[i]; i++)
		text[i] = at[i];
	if (strspn(text, base == 16 ? "0123456789abcdefABCDEF" : "01234567") != (size_t)count)
		return -EINVAL;
	number = strtol(text, &end, base);
	return number > 0 && number < 256 ? (int)number : -EINVAL;
}

/* What follows a backslash. Writes the byte; returns how many characters it took, or -EINVAL. */
static int unescape(const char *at, char *byte)
{
	static const char names[] = "abfnrtvs\\\"'", bytes[] = "\a\b\f\n\r\t\v \\\"'";
	const char *name = *at ? strchr(names, *at) : NULL;
	int number, count = *at == 'x' ? 2 : 3;

	if (name) {
		*byte = bytes[name - names];
		return 1;
	}
	number = *at == 'x' ? digits(at + 1, 2, 16) : digits(at, 3, 8);
	if (number < 0)
		return -EINVAL;
	*byte = (char)number;
	return *at == 'x' ? count + 1 : count;
}

int systemd_word_next(const char **rest, char *buf)
{
	const char *at = *rest + strspn(*rest, BLANK);
	char quote = '\0';

	if (!*at)
		return 0;
	for (; *at && (quote || !strchr(BLANK, *at)); at++) {
		if (*at == '\\') {
			int taken = unescape(at + 1, buf++);

			if (taken < 0)
				return -EINVAL;
			at += taken;
		} else if (quote ? *at == quote : (*at == '"' || *at == '\'')) {
			quote = quote ? '\0' : *at;
		} else {
			*buf++ = *at;
		}
	}
	*buf = '\0';
	*rest = at;
	return quote ? -EINVAL : 1;
}

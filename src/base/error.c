/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int err, const char *cure, const char *fmt, ...)
{
	va_list ap;

	if (!error)
		return err;
	error->code = err;
	va_start(ap, fmt);
	vsnprintf(error->message, sizeof(error->message), fmt, ap);
	va_end(ap);
	snprintf(error->cure, sizeof(error->cure), "%s", cure ? cure : "");
	return err;
}

const char *error_text(const struct error *error, char *buf, unsigned int size)
{
	/* The message says what is wrong with a value; "Invalid argument" would add nothing. */
	bool plain = error->code == -EINVAL;

	snprintf(buf, size, "%s%s%s%s%s", error->message, plain ? "" : ": ",
		 plain ? "" : strerror(-error->code), error->cure[0] ? "; " : "", error->cure);
	return buf;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int fail_set(struct fail *why, int err, const char *cure, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return err;
	why->err = err;
	va_start(ap, fmt);
	vsnprintf(why->what, sizeof(why->what), fmt, ap);
	va_end(ap);
	snprintf(why->cure, sizeof(why->cure), "%s", cure ? cure : "");
	return err;
}

const char *fail_text(const struct fail *why, char *buf, unsigned int size)
{
	/* What is wrong with a value or a file, what says itself; "Invalid argument" would add
	 * nothing. */
	bool plain = why->err == -EINVAL;

	snprintf(buf, size, "%s%s%s%s%s", why->what, plain ? "" : ": ",
		 plain ? "" : strerror(-why->err), why->cure[0] ? "; " : "", why->cure);
	return buf;
}

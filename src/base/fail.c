/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fail.h"

#include <stdarg.h>
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
	snprintf(buf, size, "%s: %s%s%s", why->what, strerror(-why->err), why->cure[0] ? "; " : "",
		 why->cure);
	return buf;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/values.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum ew_tri systemd_bool(const char *text)
{
	static const char *const yes[] = { "1", "yes", "y", "true", "t", "on" };
	static const char *const no[] = { "0", "no", "n", "false", "f", "off" };

	for (size_t i = 0; text && i < sizeof(yes) / sizeof(*yes); i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return EW_YES;
		if (strcasecmp(text, no[i]) == 0)
			return EW_NO;
	}
	return EW_UNKNOWN;
}

/* ns of a unit; 0: there is no such unit. "": seconds. */
static int64_t unit_ns(const char *name, size_t len)
{
	static const struct {
		const char *names; /* separated by blanks */
		int64_t ns;
	} units[] = {
		{ "s sec second seconds", 1000000000 },
		{ "us usec \xc2\xb5s", 1000 },
		{ "ms msec", 1000000 },
		{ "m min minute minutes", INT64_C(60) * 1000000000 },
		{ "h hr hour hours", INT64_C(3600) * 1000000000 },
		{ "d day days", INT64_C(86400) * 1000000000 },
		{ "w week weeks", INT64_C(604800) * 1000000000 },
		{ "M month months", INT64_C(2629800) * 1000000000 },
		{ "y year years", INT64_C(31557600) * 1000000000 },
	};

	if (!len)
		return units[0].ns;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		for (const char *at = units[i].names; *at; at += strspn(at, " ")) {
			size_t n = strcspn(at, " ");

			if (n == len && memcmp(at, name, n) == 0)
				return units[i].ns;
			at += n;
		}
	return 0;
}

/* Digits, at most one point, a unit: takes them off the front of *at. */
static int term_take(const char **at, double *ns)
{
	const char *begin = *at;
	double number = 0, part = 1;
	size_t len;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		number = number * 10 + (**at - '0');
	if (**at == '.' && *at > begin)
		for ((*at)++; **at >= '0' && **at <= '9'; (*at)++)
			number += (**at - '0') * (part /= 10);
	if (*at == begin)
		return -EINVAL;
	*at += strspn(*at, " \t");
	len = strcspn(*at, " \t0123456789.");
	*ns += number * (double)unit_ns(*at, len);
	if (!unit_ns(*at, len))
		return -EINVAL;
	*at += len + strspn(*at + len, " \t");
	return 0;
}

int systemd_span_parse(const char *text, int64_t *ns)
{
	double sum = 0;

	if (!text || !*(text += strspn(text, " \t")))
		return -EINVAL;
	if (strcmp(text, "infinity") == 0) {
		*ns = SYSTEMD_INFINITY;
		return 0;
	}
	while (*text)
		if (term_take(&text, &sum) < 0)
			return -EINVAL;
	if (sum > 9e18)
		return -EINVAL;
	*ns = (int64_t)sum;
	return 0;
}

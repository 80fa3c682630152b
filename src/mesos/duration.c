/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/duration.h"

#include <errno.h>

/* Digits of a fraction that count: as many as a double, which stout reads, surely keeps. */
#define DIGITS	     15
#define FRACTION_ONE 1000000000000000LL /* 10^DIGITS */

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1LL },
	{ "us", 1000LL },
	{ "ms", 1000000LL },
	{ "secs", 1000000000LL },
	{ "mins", 60 * 1000000000LL },
	{ "hrs", 3600 * 1000000000LL },
	{ "days", 24 * 3600 * 1000000000LL },
	{ "weeks", 7 * 24 * 3600 * 1000000000LL },
};

#define N_UNITS (sizeof(units) / sizeof(*units))

static const struct unit *unit_find(struct mesos_span name)
{
	for (size_t i = 0; i < N_UNITS; i++)
		if (mesos_span_is(name, units[i].name))
			return &units[i];
	return NULL;
}

/*
 * Nanoseconds of the digits behind the point, cut off. In integers: strtod(3) obeys the locale.
 * Digit n is worth unit / 10^n; what that leaves over is summed in units of 10^-15.
 */
static int64_t fraction_ns(struct mesos_span digits, int64_t unit)
{
	int64_t ns = 0;
	int64_t left_over = 0; /* at most 15 * 9 * 10^15 */
	int64_t place = 1;
	int64_t scale = FRACTION_ONE;

	for (size_t i = 0; i < digits.len && i < DIGITS; i++) {
		int64_t digit = digits.p[i] - '0';

		place *= 10;
		scale /= 10;
		ns += digit * (unit / place);
		left_over += digit * (unit % place) * scale;
	}
	return ns + left_over / FRACTION_ONE;
}

static struct mesos_span digits_take(struct mesos_span *text)
{
	struct mesos_span digits = { text->p, 0 };

	while (digits.len < text->len && text->p[digits.len] >= '0' && text->p[digits.len] <= '9')
		digits.len++;
	if (digits.len)
		*text = mesos_span_at(text->p + digits.len, text->len - digits.len);
	return digits;
}

int mesos_duration_parse(struct mesos_span text, int64_t *ns)
{
	struct mesos_span whole = digits_take(&text);
	struct mesos_span fraction =
		mesos_span_take(&text, ".") ? digits_take(&text) : mesos_span_of(NULL);
	const struct unit *unit = unit_find(text);
	uint64_t value = 0;
	int64_t result;

	if (!unit || whole.len + fraction.len == 0)
		return -EINVAL;
	if (whole.len && !mesos_span_number(&whole, INT64_MAX, &value))
		return -ERANGE;
	if (__builtin_mul_overflow((int64_t)value, unit->ns, &result) ||
	    __builtin_add_overflow(result, fraction_ns(fraction, unit->ns), &result))
		return -ERANGE;
	*ns = result;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* digits10 of a double, which is how stout prints. */
#define DIGITS	     15
#define FRACTION_ONE 1000000000000000LL /* 10^DIGITS */

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", 1LL},
	{"us", 1000LL},
	{"ms", 1000000LL},
	{"secs", 1000000000LL},
	{"mins", 60 * 1000000000LL},
	{"hrs", 3600 * 1000000000LL},
	{"days", 24 * 3600 * 1000000000LL},
	{"weeks", 7 * 24 * 3600 * 1000000000LL},
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
	struct mesos_span digits = {text->p, 0};

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

/* value / unit with DIGITS digits in all, rounded to nearest, zeros at the end dropped. */
static int quotient_text(int64_t value, int64_t unit, char *buf, size_t size)
{
	int64_t whole = value / unit;
	int64_t rest = value % unit;
	int64_t fraction = 0;
	int64_t one = 1;
	int places = DIGITS - snprintf(NULL, 0, "%" PRId64, whole);

	for (int i = 0; i < places; i++) {
		rest *= 10;
		fraction = fraction * 10 + rest / unit;
		rest %= unit;
		one *= 10;
	}
	fraction += rest * 2 >= unit;
	whole += fraction / one;
	fraction %= one;
	if (!fraction)
		return snprintf(buf, size, "%" PRId64, whole);
	while (fraction % 10 == 0) {
		fraction /= 10;
		places--;
	}
	return snprintf(buf, size, "%" PRId64 ".%0*" PRId64, whole, places, fraction);
}

const char *mesos_duration_text(int64_t ns, char *buf)
{
	int64_t value = ns == INT64_MIN ? INT64_MAX : ns < 0 ? -ns : ns;
	size_t unit = 0;
	char *at = buf;

	while (unit + 1 < N_UNITS && value >= units[unit + 1].ns)
		unit++;
	if (unit > 0 && value % units[unit].ns != 0 && value % units[unit - 1].ns == 0)
		unit--;
	if (ns < 0)
		*at++ = '-';
	at += quotient_text(value, units[unit].ns, at, MESOS_DURATION_TEXT_MAX - 1);
	snprintf(at, (size_t)(buf + MESOS_DURATION_TEXT_MAX - at), "%s", units[unit].name);
	return buf;
}

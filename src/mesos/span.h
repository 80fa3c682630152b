/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A run of bytes inside a buffer that somebody else owns. What the parsers hand out points into
 * what they were given: it lives as long as those bytes, and is not terminated by a NUL unless a
 * header says so. p is NULL where there is nothing (which differs from an empty text).
 */
#ifndef EW_MESOS_SPAN_H
#define EW_MESOS_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mesos_span {
	const char *p;
	size_t len;
};

struct mesos_span mesos_span_at(const void *bytes, size_t len);
struct mesos_span mesos_span_of(const char *text); /* NULL: a span of nothing */

bool mesos_span_is(struct mesos_span span, const char *text); /* nothing is NULL only */

/* Where text first occurs in it; NULL: it does not. */
const char *mesos_span_find(struct mesos_span span, const char *text);

/* Takes text off the front. False, with nothing taken, when it begins otherwise. */
bool mesos_span_take(struct mesos_span *span, const char *text);

/* Takes all before the first sep, and sep, off the front. False, nothing taken, without a sep. */
bool mesos_span_cut(struct mesos_span *span, char sep, struct mesos_span *before);

/* Takes decimal digits off the front. False, nothing taken, without one or above max. */
bool mesos_span_number(struct mesos_span *span, uint64_t max, uint64_t *number);

/* What follows the last sep, or all of it. */
struct mesos_span mesos_span_last(struct mesos_span span, char sep);

/* A terminated copy to free(); NULL for nothing or without memory. */
char *mesos_span_dup(struct mesos_span span);

/* A terminated copy, cut to fit; "" for nothing. Returns buf. */
char *mesos_span_copy(struct mesos_span span, char *buf, size_t size);

#endif

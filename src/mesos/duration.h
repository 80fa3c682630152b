/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Durations as Mesos writes them in environments, flags and logs: "15mins", "1.5hrs", "500ms".
 * Grammar and printing: stout/duration.hpp, the same from Mesos 0.28 to 1.11.
 */
#ifndef EW_MESOS_DURATION_H
#define EW_MESOS_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"

#define MESOS_DURATION_TEXT_MAX 40

/*
 * A number (digits, at most one point) and a unit (ns us ms secs mins hrs days weeks) with nothing
 * before, between or behind. Fractions of a nanosecond are cut off. Returns 0, -EINVAL for another
 * grammar, -ERANGE above INT64_MAX nanoseconds; *ns is set on success only.
 */
int mesos_duration_parse(struct mesos_span text, int64_t *ns);

/*
 * The largest unit that the value reaches, or the next smaller one where only that makes it a whole
 * number: 90 s is "90secs", 24 h "1days", 15.5 s "15500ms". At most 15 digits. Into buf
 * (MESOS_DURATION_TEXT_MAX bytes); returns buf.
 */
const char *mesos_duration_text(int64_t ns, char *buf);

#endif

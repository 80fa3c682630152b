/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Durations as Mesos writes them in environments, flags and logs: "15mins", "1.5hrs", "500ms".
 * Grammar: stout/duration.hpp, the same from Mesos 0.28 to 1.11.
 */
#ifndef EW_MESOS_DURATION_H
#define EW_MESOS_DURATION_H

#include <stdint.h>

#include "mesos/span.h"

/*
 * A number (digits, at most one point) and a unit (ns us ms secs mins hrs days weeks) with nothing
 * before, between or behind. Fractions of a nanosecond are cut off. Returns 0, -EINVAL for another
 * grammar, -ERANGE above INT64_MAX nanoseconds; *ns is set on success only.
 */
int mesos_duration_parse(struct mesos_span text, int64_t *ns);

#endif

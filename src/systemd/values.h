/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of settings: yes and no, and time spans as in systemd.time(7). */
#ifndef EW_SYSTEMD_VALUES_H
#define EW_SYSTEMD_VALUES_H

#include <stdint.h>

#include "facts.h"

#define SYSTEMD_INFINITY (-1)

/* YES or NO; unknown for NULL and for what is neither. */
enum ew_tri systemd_bool(const char *text);

/*
 * "5", "1min 30s", "500ms", "infinity" (SYSTEMD_INFINITY), in ns; a number without a unit is of
 * seconds. Returns 0, or -EINVAL, also for NULL and for what no int64_t holds.
 */
int systemd_span_parse(const char *text, int64_t *ns);

#endif

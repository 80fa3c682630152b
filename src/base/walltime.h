/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_BASE_WALLTIME_H
#define EW_BASE_WALLTIME_H

#include <stdint.h>

#define WALLTIME_TEXT_MAX 40

/* CLOCK_REALTIME - CLOCK_MONOTONIC on this host now, in ns. */
int64_t walltime_offset(void);

/*
 * CLOCK_REALTIME nanoseconds as RFC 3339 in UTC, cut to milliseconds: "2026-11-24T06:50:26.123Z".
 * buf has WALLTIME_TEXT_MAX bytes; returns buf.
 */
const char *walltime_text(int64_t wall, char *buf);

/* Reads exactly that form, fraction optional. Returns 0, or -EINVAL with *wall untouched. */
int walltime_parse(const char *text, int64_t *wall);

#endif

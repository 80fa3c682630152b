/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Times, durations and states as texts. Functions with buf (UNITS_MAX bytes) fill and return it. */
#ifndef EW_SHOW_UNITS_H
#define EW_SHOW_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_MAX 64

/* ns as "45 s", "12:31" (minutes and seconds), "5 h 12 m", "3 d 4 h"; "-" below 0: unknown. */
const char *units_duration(int64_t ns, char *buf);

/* A short duration: ns as "85 us", "1.2 ms", "2.5 s"; "-" below 0: unknown. */
const char *units_instant(int64_t ns, char *buf);

/* Wall ns as "2026-11-24 06:50:26 UTC". */
const char *units_time(int64_t wall, char *buf);

/* Wall ns as "06:50:26Z". */
const char *units_clock(int64_t wall, char *buf);

/* "in 12:31", "now" (less than a second away), "12:31 ago"; both wall ns, any values. */
const char *units_until(int64_t deadline, int64_t now, char *buf);

/* A status as wait(2) gives it: "exit code 1", "signal 9"; "unknown status" for -1. */
const char *units_status(int32_t status, char *buf);

/* "ESTABLISHED" for 1, as tcp(7) and ss(8) name the states; "UNKNOWN" for a number that is none. */
const char *units_tcp_state(uint32_t state);

#endif

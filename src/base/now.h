/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clocks of this host, in nanoseconds. */
#ifndef EW_BASE_NOW_H
#define EW_BASE_NOW_H

#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

int64_t now_mono(void); /* CLOCK_MONOTONIC */
int64_t now_wall(void); /* CLOCK_REALTIME */

/* Whole milliseconds from now to a time of CLOCK_MONOTONIC, for poll(2): 0 if past, a day at most.
 */
int now_ms_until(int64_t mono);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The timer that bounds every wait of the worker's child: SIGALRM ends it, and with it the trace.
 */
#ifndef EW_ACT_INJECT_INJECT_TIMER_H
#define EW_ACT_INJECT_INJECT_TIMER_H

#include <stdint.h>

/* At the deadline (CLOCK_MONOTONIC, ns), or limit_ms from now if that is sooner; 0: no such limit.
 */
void inject_timer_set(int64_t deadline, int64_t limit_ms);
void inject_timer_end(void);

#endif

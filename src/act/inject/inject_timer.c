/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_timer.h"
#include "base/now.h"

#include <stddef.h>
#include <sys/time.h>

void inject_timer_set(int64_t deadline, int64_t limit_ms)
{
	int64_t now = now_mono(), end = now + limit_ms * NS_PER_MS;
	int64_t us;
	struct itimerval timer = { 0 };

	if (limit_ms == 0 || end > deadline)
		end = deadline;
	us = end > now + 1000 ? (end - now) / 1000 : 1;
	timer.it_value.tv_sec = (time_t)(us / 1000000);
	timer.it_value.tv_usec = (suseconds_t)(us % 1000000);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void inject_timer_end(void)
{
	static const struct itimerval off;

	setitimer(ITIMER_REAL, &off, NULL);
}

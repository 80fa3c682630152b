/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_GLOG_H
#define LAB_GLOG_H

#include <stdbool.h>

/*
 * One line as glog writes it, to stderr: "I1123 18:50:53.305466 21813 exec.cpp:164] text".
 * year: with the year before the month, as Debian's glog 0.6 does.
 */
void glog(bool year, char level, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

double wall_time(void); /* seconds since 1970 */

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_SHOW_NAGIOS_H
#define EW_SHOW_NAGIOS_H

#include <stdio.h>

#include "model/report.h"

/*
 * One line for a monitoring system: "EXECWATCH WARNING - text | performance data", as the
 * Monitoring Plugins Development Guidelines want it. Returns 0 or a negative errno.
 */
int nagios_write(FILE *out, const struct report *report);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_NOW_H
#define EW_CLI_NOW_H

#include <stdint.h>

int64_t now_mono(void); /* CLOCK_MONOTONIC, ns */
int64_t now_wall(void); /* CLOCK_REALTIME, ns */

#endif

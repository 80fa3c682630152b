/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_CONFIRM_H
#define EW_CLI_CONFIRM_H

#include <stdbool.h>

/* Somebody is there to be asked: standard input and standard error are a terminal. */
bool confirm_possible(void);

/* Asks a yes/no question; anything but y or yes is no. */
bool confirm(const char *question);

#endif

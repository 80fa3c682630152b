/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_HELP_H
#define EW_CLI_HELP_H

#include <stdio.h>

struct verb;

/* Help for one verb: the options that it takes; or for all (NULL). No line has over 100 columns. */
void help_write(FILE *out, const struct verb *verb);

#endif

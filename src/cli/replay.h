/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A report on a recording instead of this host. */
#ifndef EW_CLI_REPLAY_H
#define EW_CLI_REPLAY_H

#include <stdbool.h>

struct options;

/*
 * Reports on the recording of --replay as verb does; verb NULL: as the recorded verb did.
 * first_only: judges at the recording's first judgement (an audit). Returns the exit code.
 */
int replay_report(const struct options *options, bool first_only, const char *verb);

#endif

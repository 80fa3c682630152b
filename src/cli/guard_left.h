/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a guard that was killed has left (act/armed_file.h). */
#ifndef EW_CLI_GUARD_LEFT_H
#define EW_CLI_GUARD_LEFT_H

struct options;

/*
 * Says what became of guards that were killed on this host: when they were armed, whether their
 * agent has ended, which links were treated and which were not. Acts whose result is not in the
 * audit log are written there. The caller holds the lock of those who act: no guard is armed now.
 */
void guard_left_tell(const struct options *options);

#endif

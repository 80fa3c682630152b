/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an execwatch that was killed while it acted has left. */
#ifndef EW_CLI_ACTS_LEFT_H
#define EW_CLI_ACTS_LEFT_H

struct options;

/*
 * Waits a moment for the injectors of an execwatch that was killed to end as well, and names the
 * processes on which one that is stuck still works: no act touches these. lock: of those who act.
 */
void claims_left_tell(int lock);

/*
 * Names the acts of this boot whose results were never written to the audit log, says what became
 * of their sockets, or what is not known of others, and writes a result for each: "failed", with
 * the reason "killed". The caller holds the lock of those who act: nobody acts now.
 */
void acts_left_tell(const struct options *options);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_CAPABILITIES_H
#define EW_CLI_CAPABILITIES_H

/*
 * Gives up every capability that watching and acting do not use (loading modules, setting clocks,
 * raw I/O and some thirty more), for good: what reads foreign bytes should hold no more than it
 * must. A command started by root gets root's own again with its exec. Errors are ignored: who has
 * few capabilities has little to give up.
 */
void capabilities_drop(void);

#endif

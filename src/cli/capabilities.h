/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_CAPABILITIES_H
#define EW_CLI_CAPABILITIES_H

#include <stdbool.h>

/*
 * Drops every capability that observing and acting do not need (loading modules, setting clocks,
 * raw I/O and some thirty more), for good: a program that parses untrusted bytes should have no
 * more than it must. A command that root starts has all of root's again after its exec. Errors are
 * ignored: nothing depends on it.
 */
/* guards: the verb may arm a guard. */
void capabilities_drop(bool guards);

#endif

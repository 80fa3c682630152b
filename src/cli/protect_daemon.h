/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_PROTECT_DAEMON_H
#define EW_CLI_PROTECT_DAEMON_H

struct options;

/*
 * Protects the links that are there, then those of executors as they register, until a signal ends
 * it. It sleeps between events. All it knows is on the sockets and in the state directory: killed
 * and started again, it goes on. The lock of those who act is held only while it acts. Returns an
 * exit code.
 */
int protect_daemon(const struct options *options);

#endif

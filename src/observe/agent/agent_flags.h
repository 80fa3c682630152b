/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flags that a running agent was started with: its command line, then its environment (stout
 * flags/flags.hpp, FlagsBase::load(): --NAME=VALUE, MESOS_NAME; the command line wins).
 */
#ifndef EW_OBSERVE_AGENT_AGENT_FLAGS_H
#define EW_OBSERVE_AGENT_AGENT_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * name as Mesos documents it: "work_dir". --NAME alone is "true", --no-NAME "false". A value that
 * names a file (file:///…) is returned as it is. False: not given, or it could not be read.
 */
bool agent_flag(int32_t pid, const char *name, char *value, size_t size);

/*
 * The port that the agent says it advertises: flag advertise_port, else LIBPROCESS_ADVERTISE_PORT
 * (Mesos slave/main.cpp sets that from the flag). 0: it says nothing, and advertises the port that
 * it listens on. A negative errno: its command line or its environment could not be read.
 */
int agent_advertised_port(int32_t pid);

/* agent_flag() in what /proc/PID/cmdline and environ hold: len bytes, items ended by NUL. */
bool agent_flag_in_cmdline(const char *items, size_t len, const char *name, char *value,
			   size_t size);
bool agent_flag_in_environ(const char *items, size_t len, const char *name, char *value,
			   size_t size);

#endif

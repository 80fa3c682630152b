/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a process is called that is an agent: "mesos-agent"; "mesos-slave" before Mesos 1.0. */
#ifndef EW_MESOS_AGENT_NAME_H
#define EW_MESOS_AGENT_NAME_H

#include <stdbool.h>

/*
 * Whether comm, or the last part of exe (the path of its program), is such a name, maybe with
 * something before or after it ("lt-mesos-agent" of a build tree). NULL is no name. Directories do
 * not count: all of a DC/OS host's programs are below /opt/mesosphere.
 */
bool mesos_is_agent_name(const char *comm, const char *exe);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/agent_name.h"

#include <stddef.h>
#include <string.h>

static bool is_name(const char *name)
{
	return name && (strstr(name, "mesos-agent") || strstr(name, "mesos-slave"));
}

bool mesos_is_agent_name(const char *comm, const char *exe)
{
	const char *slash = exe ? strrchr(exe, '/') : NULL;

	return is_name(comm) || is_name(slash ? slash + 1 : exe);
}

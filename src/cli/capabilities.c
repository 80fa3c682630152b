/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/capabilities.h"

#include <linux/capability.h>

#include "base/caps.h"

/* Measured on 6.18: without any of the first six, a part of audit, watch or shutdown fails. */
static const unsigned int needed[] = {
	CAP_DAC_READ_SEARCH, /* other users' /proc entries, the agent's checkpoints */
	CAP_SYS_PTRACE,	     /* their environments, descriptors and namespaces; injection */
	CAP_SYS_ADMIN,	     /* setns(2), mount(2) of the pins' filesystem */
	CAP_NET_ADMIN,	     /* conntrack; messages from packets */
	CAP_BPF,
	CAP_PERFMON,	  /* each scan links the BPF iterator again */
	CAP_DAC_OVERRIDE, /* files named by options may be in other users' directories */
};

void capabilities_drop(bool guards)
{
	/* a guard's memory, and the priority of its thread */
	uint64_t mask = guards ? CAPS_BIT(CAP_IPC_LOCK) | CAPS_BIT(CAP_SYS_NICE) : 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		mask |= CAPS_BIT(needed[i]);
	caps_limit(mask);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/capabilities.h"

#include <linux/capability.h>

#include "base/caps.h"

/* Measured on 6.18: with one of the first six missing, something of audit, watch or shutdown fails.
 */
static const unsigned int needed[] = {
	CAP_DAC_READ_SEARCH, /* other users' /proc entries, the agent's checkpoints */
	CAP_SYS_PTRACE,	     /* their environments, descriptors and namespaces; injection */
	CAP_SYS_ADMIN,	     /* setns(2), mount(2) of the pins' filesystem */
	CAP_NET_ADMIN,	     /* conntrack; messages from packets */
	CAP_BPF,
	CAP_PERFMON,	  /* passes over the host load nothing, but link their iterator anew */
	CAP_NET_RAW,	  /* the rules of the older iptables are read through a raw socket */
	CAP_DAC_OVERRIDE, /* files that root names may be in others' directories */
};

void capabilities_drop(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		mask |= CAPS_BIT(needed[i]);
	caps_limit(mask);
}

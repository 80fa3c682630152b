/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/capabilities.h"

#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint32_t keep[2] = { 0 };

	if (syscall(SYS_capget, &head, data) < 0)
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		keep[needed[i] / 32] |= 1u << needed[i] % 32;
	for (size_t i = 0; i < 2; i++) {
		data[i].effective &= keep[i];
		data[i].permitted &= keep[i];
		data[i].inheritable &= keep[i];
	}
	syscall(SYS_capset, &head, data);
}

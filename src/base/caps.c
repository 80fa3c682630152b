/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/capability.h of 5.8: older headers lack these two. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

struct caps {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static int caps_get(struct caps *caps)
{
	*caps = (struct caps){ .head = { .version = _LINUX_CAPABILITY_VERSION_3 } };
	return syscall(SYS_capget, &caps->head, caps->data) < 0 ? -errno : 0;
}

uint64_t caps_effective(void)
{
	struct caps caps;

	if (caps_get(&caps) < 0)
		return 0;
	return (uint64_t)caps.data[1].effective << 32 | caps.data[0].effective;
}

bool caps_have(unsigned int cap)
{
	return caps_effective() & CAPS_BIT(cap);
}

static const char *name_of(unsigned int cap)
{
	static const char *const names[] = {
		[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
		[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
		[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
		[CAP_NET_RAW] = "CAP_NET_RAW",
		[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
		[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
		[CAP_PERFMON] = "CAP_PERFMON",
		[CAP_BPF] = "CAP_BPF",
	};

	return cap < sizeof(names) / sizeof(*names) ? names[cap] : NULL;
}

const char *caps_names(uint64_t mask, const char *separator, char *buf, size_t size)
{
	const char *before = "";

	buf[0] = '\0';
	for (unsigned int cap = 0; cap < 64; cap++) {
		size_t at = strlen(buf);
		const char *name = name_of(cap);

		if (!(mask & CAPS_BIT(cap)))
			continue;
		if (name)
			snprintf(buf + at, size - at, "%s%s", before, name);
		else
			snprintf(buf + at, size - at, "%scapability %u", before, cap);
		before = separator;
	}
	return buf;
}

int caps_limit(uint64_t mask)
{
	struct caps caps;
	int err = caps_get(&caps);

	if (err < 0)
		return err;
	for (size_t i = 0; i < 2; i++) {
		uint32_t keep = (uint32_t)(mask >> (32 * i));

		caps.data[i].effective &= keep;
		caps.data[i].permitted &= keep;
		caps.data[i].inheritable &= keep;
	}
	return syscall(SYS_capset, &caps.head, caps.data) < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why the kernel refused, in words that name the missing piece. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "observe/bpf/observer_priv.h"

static bool cap_has(unsigned int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[cap / 32].effective >> (cap % 32) & 1;
}

/* CAP_SYS_ADMIN includes the two that were split from it in 5.8. */
static const char *cap_missing(void)
{
	bool bpf = cap_has(CAP_BPF), perfmon = cap_has(CAP_PERFMON);

	if (cap_has(CAP_SYS_ADMIN) || (bpf && perfmon))
		return NULL;
	if (bpf)
		return "CAP_PERFMON";
	return perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
}

/* The mode in force stands in brackets: "none [integrity] confidentiality". */
static bool lockdown_is(const char *mode)
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "", marked[64];

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	snprintf(marked, sizeof(marked), "[%s]", mode);
	return strstr(line, marked) != NULL;
}

int ew_bpf_load_error(int err, struct error *error)
{
	const char *missing = cap_missing();

	if (missing)
		return error_set(error, -EPERM,
				 "run as root, or with these capabilities, or --no-bpf",
				 "load BPF programs: %s missing", missing);
	if (lockdown_is("confidentiality"))
		return error_set(error, err, "boot with lockdown=integrity, or use --no-bpf",
				 "load BPF programs: kernel lockdown is 'confidentiality'");
	if (err == -EPERM)
		return error_set(error, err,
				 "leave the container or user namespace, or use --no-bpf",
				 "load BPF programs: refused by lockdown, a security module or a "
				 "user namespace");
	return error_set(error, err, "see -v for libbpf's messages, or use --no-bpf",
			 "load BPF programs");
}

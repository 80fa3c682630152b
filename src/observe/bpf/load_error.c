/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/load_error.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/caps.h"
#include "base/error.h"

/* CAP_SYS_ADMIN implies the two that were split off it in 5.8. */
static const char *cap_missing(void)
{
	if (caps_have(CAP_SYS_ADMIN) || (caps_have(CAP_BPF) && caps_have(CAP_PERFMON)))
		return NULL;
	if (caps_have(CAP_BPF))
		return "CAP_PERFMON";
	return caps_have(CAP_PERFMON) ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
}

/* The active mode is in brackets: "none [integrity] confidentiality". */
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
				 "run outside the container or user namespace, or use --no-bpf",
				 "load BPF programs: refused by lockdown, a security module or a "
				 "user namespace");
	return error_set(error, err, "see -v for libbpf's messages, or use --no-bpf",
			 "load BPF programs");
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/bpf_features.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "observe/bpf/libbpf.h"

/*
 * Only the root contains the processes of the whole host. A container may be given a subtree, which
 * looks like a root in mountinfo (of a cgroup namespace). Every cgroup but the root has this file
 * (Linux Documentation/admin-guide/cgroup-v2.rst).
 */
static bool is_cgroup_root(int fd)
{
	return faccessat(fd, "cgroup.events", F_OK, 0) < 0 && errno == ENOENT;
}

static void cgroup_open(struct ew_bpf_features *features)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int fd;

	while (mounts && features->cgroup_fd < 0 && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2") != 0)
			continue;
		fd = open(entry->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && is_cgroup_root(fd)) {
			features->cgroup_fd = fd;
		} else if (fd >= 0) {
			features->cgroup_subtree = true;
			close(fd);
		}
	}
	if (mounts)
		endmntent(mounts);
}

static const char *cgroup_missing(const struct ew_bpf_features *features)
{
	return features->cgroup_subtree
		       ? "only a part of the cgroup2 hierarchy is mounted here, not its root"
		       : "no cgroup2 hierarchy is mounted";
}

static bool has_function(const struct ew_bpf_features *features, const char *name)
{
	return btf__find_by_name_kind(features->btf, name, BTF_KIND_FUNC) > 0;
}

int ew_bpf_features_open(struct ew_bpf_features *features, struct error *error)
{
	const char *missing;

	*features = (struct ew_bpf_features)EW_BPF_FEATURES_NONE;
	features->btf = btf__load_vmlinux_btf();
	if (!features->btf)
		return error_set(error, -ENOTSUP,
				 "use a kernel built with CONFIG_DEBUG_INFO_BTF, or --no-bpf",
				 "read the kernel's type information '/sys/kernel/btf/vmlinux'");
	cgroup_open(features);
	/* c5dbb89fc2ac, 5.12, and 4f19cab76136, 5.11 */
	features->has_cookie_helper = has_function(features, "bpf_get_socket_ptr_cookie");
	features->has_file_helper = has_function(features, "bpf_sock_from_file");
	if (features->has_cookie_helper || features->cgroup_fd >= 0)
		return 0;
	missing = cgroup_missing(features);
	ew_bpf_features_close(features);
	return error_set(
		error, -ENOTSUP,
		"mount the host's cgroup2 hierarchy, use a kernel from 5.12 on, or --no-bpf",
		"get socket cookies, for which this kernel needs cgroup2: %s", missing);
}

void ew_bpf_features_free_btf(struct ew_bpf_features *features)
{
	btf__free(features->btf);
	features->btf = NULL;
}

void ew_bpf_features_close(struct ew_bpf_features *features)
{
	ew_bpf_features_free_btf(features);
	if (features->cgroup_fd >= 0)
		close(features->cgroup_fd);
	features->cgroup_fd = -1;
}

void ew_bpf_features_to_rodata(const struct ew_bpf_features *features, struct execwatch_bpf *skel)
{
	skel->rodata->has_cookie_helper = features->has_cookie_helper;
	skel->rodata->has_file_helper = features->has_file_helper;
}

/* Is prefix + hook in the kernel's BTF? */
static bool btf_has(const struct ew_bpf_features *features, const char *prefix, const char *hook,
		    __u32 kind, char *reason)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s", prefix, hook);
	if (btf__find_by_name_kind(features->btf, name, kind) > 0)
		return true;
	snprintf(reason, EW_BPF_REASON_MAX, "this kernel has no %s", hook);
	return false;
}

static bool has_kprobes(char *reason)
{
	if (access("/sys/bus/event_source/devices/kprobe", F_OK) == 0)
		return true;
	snprintf(reason, EW_BPF_REASON_MAX, "this kernel has no kprobes");
	return false;
}

bool ew_bpf_features_has_hook(const struct ew_bpf_features *features,
			      const struct bpf_program *prog, char *reason)
{
	const char *section = bpf_program__section_name(prog);
	const char *slash = strchr(section, '/'), *hook = slash ? slash + 1 : section;

	if (strncmp(section, "tp_btf/", 7) == 0)
		return btf_has(features, "btf_trace_", hook, BTF_KIND_TYPEDEF, reason);
	if (strncmp(section, "fentry/", 7) == 0)
		return btf_has(features, "", hook, BTF_KIND_FUNC, reason);
	if (strncmp(section, "iter/", 5) == 0)
		return btf_has(features, "bpf_iter_", hook, BTF_KIND_FUNC, reason);
	if (strncmp(section, "kprobe/", 7) == 0)
		return has_kprobes(reason);
	if (features->cgroup_fd >= 0)
		return true;
	snprintf(reason, EW_BPF_REASON_MAX, "%s", cgroup_missing(features));
	return false;
}

struct bpf_link *ew_bpf_features_attach(const struct ew_bpf_features *features,
					const struct bpf_program *prog)
{
	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_SOCK_OPS:
		return bpf_program__attach_cgroup(prog, features->cgroup_fd);
	default:
		return bpf_program__attach(prog);
	}
}

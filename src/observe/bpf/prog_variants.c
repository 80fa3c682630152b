/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What can serve each purpose, and what of it this kernel has. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "observe/bpf/libbpf.h"
#include "facts.h"
#include "base/error.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/observer_priv.h"

/* "messages" is first: it alone has a ladder, and its index in it is an enum ew_bpf_messages - 1.
 */
const struct ew_bpf_hook bpf_slots[] = {
	{ "messages",
	  { "message_tp", "message_fentry", "message_kprobe", "message_packet" },
	  true,
	  false,
	  EW_BPF_SKIP_LOSES },
	{ "tcp-state", { "tcp_state_set" }, true, false, EW_BPF_SKIP_HEALS },
	{ "owner", { "tcp_data_read" }, true, false, EW_BPF_SKIP_HARMLESS },
	{ "fork", { "process_forked" }, true, false, EW_BPF_SKIP_LOSES },
	{ "exec", { "process_execed" }, true, false, EW_BPF_SKIP_LOSES },
	{ "exit", { "process_exited" }, true, false, EW_BPF_SKIP_LOSES },
	{ "signal", { "signal_sent" }, true, false, EW_BPF_SKIP_LOSES },
	{ "seed", { "seed_row" }, false, false, EW_BPF_SKIP_HARMLESS },
	{ "cookie", { "cookie_created" }, true, true, EW_BPF_SKIP_LOSES },
	{ "accept", { "cookie_accepted" }, true, true, EW_BPF_SKIP_LOSES },
};
const size_t bpf_slots_n = sizeof(bpf_slots) / sizeof(bpf_slots[0]);

/*
 * Only the root has processes of all: where a container is given a part of the hierarchy, that
 * looks like one, also in mountinfo (of a cgroup namespace). This file is in each cgroup but the
 * root (Linux Documentation/admin-guide/cgroup-v2.rst).
 */
static bool is_cgroup_root(int fd)
{
	return faccessat(fd, "cgroup.events", F_OK, 0) < 0 && errno == ENOENT;
}

static void cgroup_open(struct ew_bpf_features *ground)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int fd;

	while (mounts && ground->cgroup_fd < 0 && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2") != 0)
			continue;
		fd = open(entry->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && is_cgroup_root(fd)) {
			ground->cgroup_fd = fd;
		} else if (fd >= 0) {
			ground->cgroup_part = true;
			close(fd);
		}
	}
	if (mounts)
		endmntent(mounts);
}

static const char *cgroup_lacks(const struct ew_bpf_features *ground)
{
	return ground->cgroup_part
		       ? "only a part of the cgroup2 hierarchy is mounted here, not its root"
		       : "no cgroup2 hierarchy is mounted";
}

int ew_bpf_features_open(struct ew_bpf_features *ground, struct error *error)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const char *lacks;

	if (!btf)
		return error_set(error, -ENOTSUP,
				 "use a kernel built with CONFIG_DEBUG_INFO_BTF, or --no-bpf",
				 "read the kernel's type information '/sys/kernel/btf/vmlinux'");
	ground->btf = btf;
	cgroup_open(ground);
	/* c5dbb89fc2ac, 5.12, and 4f19cab76136, 5.11 */
	ground->has_cookie_helper =
		btf__find_by_name_kind(btf, "bpf_get_socket_ptr_cookie", BTF_KIND_FUNC) > 0;
	ground->has_file_helper =
		btf__find_by_name_kind(btf, "bpf_sock_from_file", BTF_KIND_FUNC) > 0;
	if (ground->has_cookie_helper || ground->cgroup_fd >= 0)
		return 0;
	lacks = cgroup_lacks(ground);
	ew_bpf_features_close(ground);
	return error_set(
		error, -ENOTSUP,
		"mount the host's cgroup2 hierarchy, use a kernel from 5.12 on, or --no-bpf",
		"name sockets, for which this kernel needs cgroup2: %s", lacks);
}

bool ew_bpf_features_wants(const struct ew_bpf_features *ground, const struct ew_bpf_hook *slot)
{
	return !slot->gives_cookies || !ground->has_cookie_helper;
}

void ew_bpf_features_tell(const struct ew_bpf_features *ground, struct execwatch_bpf *skel)
{
	skel->rodata->has_cookie_helper = ground->has_cookie_helper;
	skel->rodata->has_file_helper = ground->has_file_helper;
}

void ew_bpf_features_chosen(struct ew_bpf_features *ground)
{
	btf__free(ground->btf);
	ground->btf = NULL;
}

void ew_bpf_features_close(struct ew_bpf_features *ground)
{
	ew_bpf_features_chosen(ground);
	if (ground->cgroup_fd >= 0)
		close(ground->cgroup_fd);
	ground->cgroup_fd = -1;
}

/* prefix + hook must be in the kernel's BTF; else says so. */
static bool btf_has(const struct ew_bpf_features *ground, const char *prefix, const char *hook,
		    __u32 kind, char *reason)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s", prefix, hook);
	if (btf__find_by_name_kind(ground->btf, name, kind) > 0)
		return true;
	snprintf(reason, EW_BPF_REASON_MAX, "this kernel has no %s", hook);
	return false;
}

bool ew_bpf_features_has(const struct ew_bpf_features *ground, const struct bpf_program *prog,
			 char *reason)
{
	const char *section = bpf_program__section_name(prog);
	const char *slash = strchr(section, '/'), *hook = slash ? slash + 1 : section;

	if (strncmp(section, "tp_btf/", 7) == 0)
		return btf_has(ground, "btf_trace_", hook, BTF_KIND_TYPEDEF, reason);
	if (strncmp(section, "fentry/", 7) == 0)
		return btf_has(ground, "", hook, BTF_KIND_FUNC, reason);
	if (strncmp(section, "iter/", 5) == 0)
		return btf_has(ground, "bpf_iter_", hook, BTF_KIND_FUNC, reason);
	if (strncmp(section, "kprobe/", 7) == 0) {
		if (access("/sys/bus/event_source/devices/kprobe", F_OK) == 0)
			return true;
		snprintf(reason, EW_BPF_REASON_MAX, "this kernel has no kprobes");
		return false;
	}
	if (ground->cgroup_fd >= 0)
		return true;
	snprintf(reason, EW_BPF_REASON_MAX, "%s", cgroup_lacks(ground));
	return false;
}

struct bpf_link *ew_bpf_features_attach(const struct ew_bpf_features *ground,
					const struct bpf_program *prog)
{
	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_SOCK_OPS:
		return bpf_program__attach_cgroup(prog, ground->cgroup_fd);
	default:
		return bpf_program__attach(prog);
	}
}

/* Loads one program alone, attaches it, and lets go. reason is empty when that worked. */
static void program_probe(const struct ew_bpf_features *ground, const char *name, char *reason,
			  char *section, size_t size)
{
	struct execwatch_bpf *skel = execwatch_bpf__open();
	struct bpf_program *prog, *wanted = NULL;
	struct bpf_link *link = NULL;
	struct error error;
	int err;

	if (!skel) {
		snprintf(reason, EW_BPF_REASON_MAX, "%s", strerror(errno));
		return;
	}
	bpf_object__for_each_program(prog, skel->obj)
	{
		bpf_program__set_autoload(prog, strcmp(bpf_program__name(prog), name) == 0);
		if (bpf_program__autoload(prog))
			wanted = prog;
	}
	snprintf(section, size, "%s", bpf_program__section_name(wanted));
	if (!ew_bpf_features_has(ground, wanted, reason))
		goto out;
	ew_bpf_features_tell(ground, skel);
	err = execwatch_bpf__load(skel);
	if (!err) {
		link = ew_bpf_features_attach(ground, wanted);
		err = link ? 0 : -errno;
	}
	if (err) {
		ew_bpf_load_error(err, &error);
		error_text(&error, reason, EW_BPF_REASON_MAX);
	}
out:
	bpf_link__destroy(link);
	execwatch_bpf__destroy(skel);
}

static void slot_probe(const struct ew_bpf_features *ground, const struct ew_bpf_hook *slot,
		       const struct fact_sink *sink)
{
	for (size_t i = 0; i < EW_BPF_VARIANTS_MAX && slot->programs[i]; i++) {
		char reason[EW_BPF_REASON_MAX] = "", section[64] = "";
		struct fact fact = { .type = FACT_HOOK };

		program_probe(ground, slot->programs[i], reason, section, sizeof(section));
		fact.mono = now_mono();
		fact.hook.hook = slot->name;
		fact.hook.program = section;
		fact.hook.reason = reason;
		fact.hook.best_effort = strncmp(section, "cgroup_skb/", 11) == 0;
		fact_emit(sink, &fact);
	}
}

/* A map is the least that bpf(2) gives to those who may use it at all. */
static int ew_bpf_allowed(struct error *error)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "ew_probe", 4, 4, 1, NULL);
	int err = fd < 0 ? -errno : 0;

	if (err)
		return ew_bpf_load_error(err, error);
	close(fd);
	return 0;
}

int ew_bpf_hooks_probe(const struct fact_sink *sink, struct error *error)
{
	struct ew_bpf_features ground = { .cgroup_fd = -1 };
	int err = ew_bpf_allowed(error);

	if (err)
		return err;
	err = ew_bpf_features_open(&ground, error);
	if (err)
		return err;
	for (size_t i = 0; i < bpf_slots_n; i++)
		if (ew_bpf_features_wants(&ground, &bpf_slots[i]))
			slot_probe(&ground, &bpf_slots[i], sink);
	ew_bpf_features_close(&ground);
	return 0;
}

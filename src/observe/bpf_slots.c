/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What can serve each purpose, and what of it this kernel has. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "observe/bpf_lib.h"
#include "facts.h"
#include "fail.h"
#include "observe/bpf.h"
#include "observe/bpf_priv.h"
#include "observe/put.h"

/* "messages" is first: it alone has a ladder, and its index in it is an enum bpf_messages - 1. */
const struct bpf_slot bpf_slots[] = {
	{ "messages",
	  { "message_tp", "message_fentry", "message_kprobe", "message_packet" },
	  true },
	{ "tcp-state", { "tcp_state_set" }, true },
	{ "owner", { "tcp_data_read" }, true },
	{ "fork", { "process_forked" }, true },
	{ "exec", { "process_execed" }, true },
	{ "exit", { "process_exited" }, true },
	{ "signal", { "signal_sent" }, true },
	{ "seed", { "seed_row" }, false },
};
const size_t bpf_slots_n = sizeof(bpf_slots) / sizeof(bpf_slots[0]);

static int cgroup_root_open(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int fd = -1;

	if (!mounts)
		return -1;
	while (fd < 0 && (entry = getmntent(mounts)))
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			fd = open(entry->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	endmntent(mounts);
	return fd;
}

int bpf_ground_open(struct bpf_ground *ground, struct fail *why)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return fail_set(why, -ENOTSUP,
				"use a kernel built with CONFIG_DEBUG_INFO_BTF, or --no-bpf",
				"read the kernel's type information '/sys/kernel/btf/vmlinux'");
	/* The helper that gives cookies to programs like ours, c5dbb89fc2ac, 5.12. */
	if (btf__find_by_name_kind(btf, "bpf_get_socket_ptr_cookie", BTF_KIND_FUNC) < 0) {
		btf__free(btf);
		return fail_set(why, -ENOTSUP, "use a kernel from 5.12 on, or --no-bpf",
				"load BPF programs: this kernel does not let them name sockets");
	}
	ground->btf = btf;
	ground->cgroup_fd = cgroup_root_open();
	return 0;
}

void bpf_ground_close(struct bpf_ground *ground)
{
	btf__free(ground->btf);
	ground->btf = NULL;
	if (ground->cgroup_fd >= 0)
		close(ground->cgroup_fd);
	ground->cgroup_fd = -1;
}

/* prefix + hook must be in the kernel's BTF; else says so. */
static bool btf_has(const struct bpf_ground *ground, const char *prefix, const char *hook,
		    __u32 kind, char *reason)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s", prefix, hook);
	if (btf__find_by_name_kind(ground->btf, name, kind) > 0)
		return true;
	snprintf(reason, BPF_REASON_MAX, "this kernel has no %s", hook);
	return false;
}

bool bpf_ground_has(const struct bpf_ground *ground, const struct bpf_program *prog, char *reason)
{
	const char *section = bpf_program__section_name(prog);
	const char *hook = strchr(section, '/') + 1;

	if (strncmp(section, "tp_btf/", 7) == 0)
		return btf_has(ground, "btf_trace_", hook, BTF_KIND_TYPEDEF, reason);
	if (strncmp(section, "fentry/", 7) == 0)
		return btf_has(ground, "", hook, BTF_KIND_FUNC, reason);
	if (strncmp(section, "iter/", 5) == 0)
		return btf_has(ground, "bpf_iter_", hook, BTF_KIND_FUNC, reason);
	if (strncmp(section, "kprobe/", 7) == 0) {
		if (access("/sys/bus/event_source/devices/kprobe", F_OK) == 0)
			return true;
		snprintf(reason, BPF_REASON_MAX, "this kernel has no kprobes");
		return false;
	}
	if (ground->cgroup_fd >= 0)
		return true;
	snprintf(reason, BPF_REASON_MAX, "no cgroup2 hierarchy is mounted");
	return false;
}

struct bpf_link *bpf_ground_attach(const struct bpf_ground *ground, const struct bpf_program *prog)
{
	if (bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SKB)
		return bpf_program__attach_cgroup(prog, ground->cgroup_fd);
	return bpf_program__attach(prog);
}

/* Loads one program alone, attaches it, and lets go. reason is empty when that worked. */
static void program_probe(const struct bpf_ground *ground, const char *name, char *reason,
			  char *section, size_t size)
{
	struct execwatch_bpf *skel = execwatch_bpf__open();
	struct bpf_program *prog, *wanted = NULL;
	struct bpf_link *link = NULL;
	struct fail why;
	int err;

	if (!skel) {
		snprintf(reason, BPF_REASON_MAX, "%s", strerror(errno));
		return;
	}
	bpf_object__for_each_program(prog, skel->obj) {
		bpf_program__set_autoload(prog, strcmp(bpf_program__name(prog), name) == 0);
		if (bpf_program__autoload(prog))
			wanted = prog;
	}
	snprintf(section, size, "%s", bpf_program__section_name(wanted));
	if (!bpf_ground_has(ground, wanted, reason))
		goto out;
	err = execwatch_bpf__load(skel);
	if (!err) {
		link = bpf_ground_attach(ground, wanted);
		err = link ? 0 : -errno;
	}
	if (err) {
		bpf_why_load(err, &why);
		fail_text(&why, reason, BPF_REASON_MAX);
	}
out:
	bpf_link__destroy(link);
	execwatch_bpf__destroy(skel);
}

static void slot_probe(const struct bpf_ground *ground, const struct bpf_slot *slot,
		       const struct fact_sink *sink)
{
	for (size_t i = 0; i < BPF_LADDER_MAX && slot->programs[i]; i++) {
		char reason[BPF_REASON_MAX] = "", section[64] = "";
		struct fact fact = { .type = FACT_SLOT };

		program_probe(ground, slot->programs[i], reason, section, sizeof(section));
		fact.mono = put_clock();
		fact.slot.slot = slot->name;
		fact.slot.program = section;
		fact.slot.reason = reason;
		fact.slot.best_effort = strncmp(section, "cgroup_skb/", 11) == 0;
		fact_put(sink, &fact);
	}
}

/* A map is the least that bpf(2) gives to those who may use it at all. */
static int bpf_allowed(struct fail *why)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "ew_probe", 4, 4, 1, NULL);
	int err = fd < 0 ? -errno : 0;

	if (err)
		return bpf_why_load(err, why);
	close(fd);
	return 0;
}

int bpf_slots_probe(const struct fact_sink *sink, struct fail *why)
{
	struct bpf_ground ground = { .cgroup_fd = -1 };
	int err = bpf_allowed(why);

	if (err)
		return err;
	err = bpf_ground_open(&ground, why);
	if (err)
		return err;
	for (size_t i = 0; i < bpf_slots_n; i++)
		slot_probe(&ground, &bpf_slots[i], sink);
	bpf_ground_close(&ground);
	return 0;
}

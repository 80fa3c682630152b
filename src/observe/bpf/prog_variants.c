/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/prog_variants.h"

#include "observe/bpf/bpf_features.h"
#include "observe/bpf/libbpf.h"

/* The order of the variants of "messages" is that of enum ew_bpf_messages. */
const struct ew_bpf_hook ew_bpf_hooks[] = {
	{ "messages",
	  { "message_tp", "message_fentry", "message_kprobe", "message_packet" },
	  true,
	  false,
	  EW_BPF_MISS_LOSES },
	{ "tcp-state", { "tcp_state_set" }, true, false, EW_BPF_MISS_HEALS },
	{ "owner", { "tcp_data_read" }, true, false, EW_BPF_MISS_HARMLESS },
	{ "fork", { "process_forked" }, true, false, EW_BPF_MISS_LOSES },
	{ "exec", { "process_execed" }, true, false, EW_BPF_MISS_LOSES },
	{ "exit", { "process_exited" }, true, false, EW_BPF_MISS_LOSES },
	{ "signal", { "signal_sent" }, true, false, EW_BPF_MISS_LOSES },
	{ "seed", { "scan_row" }, false, false, EW_BPF_MISS_HARMLESS },
	{ "cookie", { "cookie_created" }, true, true, EW_BPF_MISS_LOSES },
	{ "accept", { "cookie_accepted" }, true, true, EW_BPF_MISS_LOSES },
};
const size_t ew_bpf_hooks_n = sizeof(ew_bpf_hooks) / sizeof(ew_bpf_hooks[0]);

bool ew_bpf_hook_is_needed(const struct ew_bpf_hook *hook, const struct ew_bpf_features *features)
{
	return !hook->gives_cookies || !features->has_cookie_helper;
}

struct bpf_program *ew_bpf_hook_program(const struct ew_bpf_hook *hook,
					const struct execwatch_bpf *skel, size_t variant)
{
	if (variant >= EW_BPF_VARIANTS_MAX || !hook->programs[variant])
		return NULL;
	return bpf_object__find_program_by_name(skel->obj, hook->programs[variant]);
}

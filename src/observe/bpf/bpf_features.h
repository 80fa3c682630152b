/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this kernel and its mounts offer to BPF programs. Probed; versions are never compared. */
#ifndef EW_OBSERVE_BPF_FEATURES_H
#define EW_OBSERVE_BPF_FEATURES_H

#include <stdbool.h>

struct bpf_link;
struct bpf_program;
struct btf;
struct error;
struct execwatch_bpf;

#define EW_BPF_REASON_MAX 320

struct ew_bpf_features {
	struct btf *btf;	/* the kernel's own; NULL: freed */
	int cgroup_fd;		/* root of the cgroup2 hierarchy; -1: not mounted */
	bool cgroup_subtree;	/* a directory below the root is mounted */
	bool has_cookie_helper; /* tracing programs may call bpf_get_socket_cookie (5.12) */
	bool has_file_helper;	/* and bpf_sock_from_file (5.11) */
};

#define EW_BPF_FEATURES_NONE                                                                       \
	{                                                                                          \
		.cgroup_fd = -1                                                                    \
	} /* ew_bpf_features_close() accepts it */

/*
 * Errors: -ENOTSUP without BTF, or where socket cookies can be had neither by a helper nor by
 * cgroup programs.
 */
int ew_bpf_features_open(struct ew_bpf_features *features, struct error *error);
void ew_bpf_features_close(struct ew_bpf_features *features);

/* Frees the kernel's type information (6 MB). ew_bpf_features_has_hook() must not follow. */
void ew_bpf_features_free_btf(struct ew_bpf_features *features);

/* Tells the programs which helpers they may call. Before loading. */
void ew_bpf_features_to_rodata(const struct ew_bpf_features *features, struct execwatch_bpf *skel);

/*
 * Does the kernel have the hook that this program attaches to? If not, reason (EW_BPF_REASON_MAX
 * bytes) says what is missing.
 */
bool ew_bpf_features_has_hook(const struct ew_bpf_features *features,
			      const struct bpf_program *prog, char *reason);

/* Returns NULL with errno set. */
struct bpf_link *ew_bpf_features_attach(const struct ew_bpf_features *features,
					const struct bpf_program *prog);

#endif

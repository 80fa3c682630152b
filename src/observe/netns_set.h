/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The network namespaces whose sockets a scan lists. */
#ifndef EW_OBSERVE_NETNS_SET_H
#define EW_OBSERVE_NETNS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct snapshot;

struct netns_set {
	uint64_t *items; /* inodes, each once */
	size_t n;
	size_t cap;
};

/*
 * Adds the agent's, those of processes with a Mesos environment, and those of sockets that are
 * known already. Without BPF nothing has told who listens on the agent port: every namespace of the
 * host is asked. Returns 0 or a negative errno.
 */
int netns_set_fill(struct netns_set *set, const struct snapshot *snapshot, bool with_bpf,
		   struct error *error);
void netns_set_clear(struct netns_set *set);

/* Of snapshot_netns_open(): the namespace has ended with its last process, as far as can be told
 * without privilege. */
bool netns_has_ended(int err);

/* Fills error in; returns err. */
int netns_enter_failed(struct error *error, int err, uint64_t netns);

#endif

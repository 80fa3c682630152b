/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sockets with the agent port and who holds them, by one walk over descriptors; nothing is
 * watched. Loads in a tenth of the time that the programs of bpf.h take, where the kernel can.
 */
#ifndef EW_OBSERVE_BPF_WALK_H
#define EW_OBSERVE_BPF_WALK_H

#include <stdint.h>

struct bpf_walk;
struct fact_sink;
struct fail;

/*
 * Puts FACT_SLOT "seed". Errors: -ENOTSUP (not in the host's pid namespace), those of loading (a
 * kernel before 5.17, a missing capability): bpf_watch_open() does more, and tells what is missing.
 */
int bpf_walk_open(uint16_t agent_port, const struct fact_sink *sink, struct bpf_walk **ret);
void bpf_walk_free(struct bpf_walk *walk); /* NULL is fine */

/* As bpf_watch_seed(), with the walk as ctx. */
int bpf_walk_seed(void *walk, const struct fact_sink *sink, struct fail *why);

#endif

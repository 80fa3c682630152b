/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sockets with the agent port and who holds them, by one walk over descriptors; nothing is
 * watched. Loads in a tenth of the time that the programs of bpf.h take, where the kernel can.
 */
#ifndef EW_OBSERVE_BPF_SCAN_ONCE_H
#define EW_OBSERVE_BPF_SCAN_ONCE_H

#include <stdint.h>

struct ew_bpf_scan_once;
struct fact_sink;
struct error;

/*
 * Puts FACT_HOOK "seed". Errors: -ENOTSUP (not in the host's pid namespace), those of loading (a
 * kernel before 5.17, a missing capability): ew_bpf_open() does more, and tells what is missing.
 */
int ew_bpf_scan_once_open(uint16_t agent_port, const struct fact_sink *sink,
			  struct ew_bpf_scan_once **ret);
void ew_bpf_scan_once_free(struct ew_bpf_scan_once *walk); /* NULL is fine */

/* As ew_bpf_scan(), with the walk as ctx. */
int ew_bpf_scan_once(void *walk, const struct fact_sink *sink, struct error *error);

#endif

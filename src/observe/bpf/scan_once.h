/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One scan for the sockets with the agent port and their holders, without observing events. Loads
 * in a tenth of the time of the observer's programs, where the kernel supports it.
 */
#ifndef EW_OBSERVE_BPF_SCAN_ONCE_H
#define EW_OBSERVE_BPF_SCAN_ONCE_H

#include <stdint.h>

struct agent_ports;
struct ew_bpf_scan_once;
struct fact_sink;
struct error;

/*
 * Emits FACT_HOOK "seed". Errors: -ENOTSUP (not in the host's pid namespace), those of loading (a
 * kernel before 5.17, a missing capability). ew_bpf_open() works on more hosts, and its errors say
 * what is missing.
 */
int ew_bpf_scan_once_open(uint16_t agent_port, const struct fact_sink *sink,
			  struct ew_bpf_scan_once **ret);
void ew_bpf_scan_once_free(struct ew_bpf_scan_once *scan); /* NULL is fine */

/* As ew_bpf_set_ports(), for the scans to come. */
void ew_bpf_scan_once_set_ports(struct ew_bpf_scan_once *scan, const struct agent_ports *ports);

/* As ew_bpf_scan(). scan: a struct ew_bpf_scan_once. */
int ew_bpf_scan_once(void *scan, const struct fact_sink *sink, struct error *error);

#endif

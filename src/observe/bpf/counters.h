/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads what the kernel counts. */
#ifndef EW_OBSERVE_BPF_COUNTERS_H
#define EW_OBSERVE_BPF_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

struct ew_counters;

/* The sum over all CPUs of the map "counters". False: no memory, and *sum is unchanged. */
bool ew_bpf_counters_read(int map, struct ew_counters *sum);

/* *sum -= *part, field by field. */
void ew_bpf_counters_subtract(struct ew_counters *sum, const struct ew_counters *part);

/* How often the kernel has skipped a program (enum ew_bpf_miss); before 5.12 always 0. */
uint64_t ew_bpf_misses(int prog_fd);

#endif

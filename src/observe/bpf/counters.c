/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/counters.h"

#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "observe/bpf/libbpf.h"

#define FIELDS (sizeof(struct ew_counters) / sizeof(__u64))

bool ew_bpf_counters_read(int map, struct ew_counters *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct ew_counters *each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
	__u64 *to = (void *)sum;
	uint32_t zero = 0;
	bool read = each && bpf_map_lookup_elem(map, &zero, each) == 0;

	if (read)
		memset(sum, 0, sizeof(*sum));
	for (int i = 0; read && i < cpus; i++)
		for (size_t k = 0; k < FIELDS; k++)
			to[k] += ((const __u64 *)&each[i])[k];
	free(each);
	return read;
}

void ew_bpf_counters_subtract(struct ew_counters *sum, const struct ew_counters *part)
{
	for (size_t k = 0; k < FIELDS; k++)
		((__u64 *)sum)[k] -= ((const __u64 *)part)[k];
}

uint64_t ew_bpf_misses(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	/* The field was added in 5.12; older kernels leave it 0. */
	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) == 0 ? info.recursion_misses : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/procs_map.h"

#include <errno.h>

#include "base/error.h"
#include "events.h"
#include "observe/bpf/libbpf.h"

int ew_procs_map_add(int map, int32_t pid, uint64_t start, uint32_t role, uint32_t depth,
		     struct error *error)
{
	struct ew_proc proc = { 0 }, old;
	uint32_t tgid = (uint32_t)pid;

	if (bpf_map_lookup_elem(map, &tgid, &old) == 0 && old.start_ticks == start)
		proc = old;
	proc.start_ticks = start;
	proc.role |= role;
	if (proc.depth < depth)
		proc.depth = depth;
	if (bpf_map_update_elem(map, &tgid, &proc, BPF_ANY) < 0)
		return error_set(error, -errno, "watch fewer processes", "watch process %d", pid);
	return 0;
}

void ew_procs_map_remove(int map, int32_t pid)
{
	uint32_t tgid = (uint32_t)pid;

	bpf_map_delete_elem(map, &tgid);
}

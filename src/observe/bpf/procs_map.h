/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's map "procs": the processes that are followed. */
#ifndef EW_OBSERVE_BPF_PROCS_MAP_H
#define EW_OBSERVE_BPF_PROCS_MAP_H

#include <stdint.h>

struct error;

/*
 * Adds a process, or a role (EW_ROLE_ bits) to one that is there. depth: generations of descendants
 * to follow. start: field 22 of /proc/PID/stat. Errors: -E2BIG.
 */
int ew_procs_map_add(int map, int32_t pid, uint64_t start, uint32_t role, uint32_t depth,
		     struct error *error);
void ew_procs_map_remove(int map, int32_t pid);

#endif

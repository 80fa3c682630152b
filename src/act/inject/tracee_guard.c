/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/tracee_guard.h"
#include "act/inject/tracee_maps.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
	ENTRIES = 512,	  /* read at once */
	REACH = 16 << 20, /* bytes to search: twice the usual size of a stack */
};

#define GUARD (1ull << 58) /* Documentation/admin-guide/mm/pagemap.rst */

/* The number of the highest guard page in [first, end), or 0. */
static uint64_t highest_guard(int pagemap, uint64_t first, uint64_t end)
{
	uint64_t entry[ENTRIES];
	ssize_t n = pread(pagemap, entry, (end - first) * sizeof(*entry),
			  (off_t)(first * sizeof(*entry)));

	for (ssize_t i = n / (ssize_t)sizeof(*entry) - 1; i >= 0; i--)
		if (entry[i] & GUARD)
			return first + (uint64_t)i;
	return 0;
}

uint64_t tracee_guard_below(pid_t tid, const struct tracee_maps *maps, uint64_t sp)
{
	const struct tracee_area *area = tracee_maps_find(maps, sp - 1);
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE), guard = 0, low, end;
	char path[32];
	int pagemap;

	if (!area)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", tid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return 0;
	low = (sp - area->start > REACH ? sp - REACH : area->start) / size;
	end = (sp + size - 1) / size;
	while (!guard && end > low) {
		uint64_t first = end - low > ENTRIES ? end - ENTRIES : low;

		guard = highest_guard(pagemap, first, end);
		end = first;
	}
	close(pagemap);
	return guard ? (guard + 1) * size : 0;
}

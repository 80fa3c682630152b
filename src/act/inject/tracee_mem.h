/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory of a target: by process_vm_*, or by /proc/PID/mem where that is not built in. */
#ifndef EW_ACT_INJECT_TRACEE_MEM_H
#define EW_ACT_INJECT_TRACEE_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tracee_mem {
	pid_t tid;
	int fd;		 /* /proc/TID/mem if it was needed, else -1 */
	unsigned *calls; /* counts system calls */
};

void tracee_mem_init(struct tracee_mem *mem, pid_t tid, unsigned *calls);
void tracee_mem_close(struct tracee_mem *mem);

/* Returns the number of bytes read, which can be less than len, or a negative errno. */
ssize_t tracee_mem_read(struct tracee_mem *mem, uint64_t addr, void *buf, size_t len);

/*
 * Faults in the pages from addr to end for writing (new pages, pages swapped out, pages shared
 * since a fork) without changing their content. Errors are left for the later write to report.
 */
void tracee_mem_prepare(struct tracee_mem *mem, uint64_t addr, uint64_t end);

/* Writes everything, or returns a negative errno: then a part may be written. */
int tracee_mem_write(struct tracee_mem *mem, uint64_t addr, const void *buf, size_t len);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Mesos libraries of the last list of processes. To find one in /proc/PID/maps costs more than
 * all else that a watch reads of an executor every 10 s, and it changes with the program only.
 */
#ifndef EW_OBSERVE_PROC_KNOWN_LIBRARIES_H
#define EW_OBSERVE_PROC_KNOWN_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/now.h"
#include "observe/proc/procfs_library.h"

struct proc_stat;

/* Then it is looked at again: its file may have been deleted. */
#define KNOWN_LIBRARY_NS (60 * NS_PER_S)

struct known_library {
	int32_t pid;
	uint64_t program; /* known_program() */
	int64_t read_at;  /* mono ns */
	uint8_t library;  /* which of the table */
};

struct known_library_list {
	struct known_library *v; /* by pid, as processes are listed */
	size_t n, cap, at;
};

/* All zero: nothing is known. */
struct known_libraries {
	struct known_library_list last, now;
	struct procfs_library table[16]; /* a node's executors share a few */
	size_t n_table;
};

/*
 * A number for what the process runs; 0: it cannot be told. execve(2) gives a program another
 * stack (address space layout randomization), if not another name or other arguments.
 */
uint64_t known_program(const struct proc_stat *stat, const char *exe, const char *cmdline);

/* A new list begins: what is known is that of the last. */
void known_libraries_begin(struct known_libraries *known);
void known_libraries_free(struct known_libraries *known);

/*
 * Pids must ascend within a list. True: *library is that of the same program, which was read less
 * than KNOWN_LIBRARY_NS before now (mono ns).
 */
bool known_library_find(struct known_libraries *known, int32_t pid, uint64_t program, int64_t now,
			struct procfs_library *library);
/* Remembers what was read at now; a process without a library may still load one. */
void known_library_add(struct known_libraries *known, int32_t pid, uint64_t program, int64_t now,
		       const struct procfs_library *library);

#endif

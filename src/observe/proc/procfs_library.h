/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which Mesos library a process runs: the one that it has mapped, deleted meanwhile or not. */
#ifndef EW_OBSERVE_PROC_PROCFS_LIBRARY_H
#define EW_OBSERVE_PROC_PROCFS_LIBRARY_H

#include <stddef.h>

struct procfs_library {
	char path[512];	  /* "" : none is mapped */
	char version[64]; /* "" : not known */
	const char *from; /* "library", "stderr", "" */
};

/*
 * dir is the process' directory in /proc, sandbox its MESOS_DIRECTORY. Without a version in the
 * library's name, the head of sandbox/stderr is read, where an executor writes it first (Mesos
 * exec/exec.cpp); for a process in a mount namespace of its own, as it sees that path. buf is room
 * for reading. Never fails: what cannot be read is not known.
 */
void procfs_library_find(int dir, const char *sandbox, char *buf, size_t size,
			 struct procfs_library *library);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Mesos library of a process: the one that it has mapped, even if the file was deleted. */
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
 * library's name, the beginning of sandbox/stderr is read, where an executor writes its version
 * (Mesos exec/exec.cpp); through /proc/PID/root where the path does not exist here. buf is used for
 * reading. Never fails: what cannot be read is not known.
 */
void procfs_library_find(int dir, const char *sandbox, char *buf, size_t size,
			 struct procfs_library *library);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Mesos library of a process: the one that it has mapped, even if the file was deleted. */
#ifndef EW_OBSERVE_PROC_PROCFS_LIBRARY_H
#define EW_OBSERVE_PROC_PROCFS_LIBRARY_H

#include <pthread.h>
#include <stddef.h>

#include "facts.h"
#include "observe/proc/library_file.h"

struct procfs_library {
	char path[512];	   /* "" : none is mapped */
	char version[64];  /* "" : not known */
	const char *from;  /* "library", "" */
	char build_id[65]; /* "" : not known */
	enum ew_tri deleted;
};

/* Files that were read already: a node's executors share a few libraries. Threads may share it. */
struct library_files {
	pthread_mutex_t lock;
	int64_t until; /* mono ns; 0: no bound for reading more */
	struct {
		char id[64]; /* "fe:00 12615", device and inode as in maps: holds while it is mapped
			      */
		struct library_file file;
	} v[16];
	size_t n;
};

/*
 * dir is the process' directory in /proc. Only what is mapped counts: the library's name, and what
 * the mapped file says of itself (observe/proc/library_file.h). What a process logs, or has in its
 * environment, says nothing of the code that it runs: a log is rotated and others write into it,
 * and the environment names the agent's library. Of several files the version is known only where
 * all that tell one tell the same. buf is used for reading. Never fails: what cannot
 * be read is not known.
 */
void procfs_library_find(int dir, char *buf, size_t size, struct library_files *files,
			 struct procfs_library *library);

#endif

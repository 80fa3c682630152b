/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Single files under /proc/PID. dir is a descriptor of that directory. */
#ifndef EW_OBSERVE_PROC_PROCFS_FILE_H
#define EW_OBSERVE_PROC_PROCFS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads up to size - 1 bytes of a file and terminates them with a NUL. One read(2): these files are
 * made as a whole, and the kernel gives what fits (not so for maps and mounts, which are made line
 * by line). Returns how many, or a negative errno: -ESRCH and -ENOENT when the process is gone.
 */
ssize_t procfs_file_read(int dir, const char *name, char *buf, size_t size);

struct procfs_stat {
	char comm[64]; /* the kernel keeps 15 bytes, kernel threads' may be longer */
	int32_t ppid;
	uint64_t start;
	char state; /* 'Z': a zombie */
};
int procfs_file_stat(int dir, struct procfs_stat *stat);

/* Its own getpid(): the innermost of NSpid; 0: the kernel does not say (before 4.1), or gone. */
int32_t procfs_file_ns_pid(int dir);

/* Effective user, by the directory's owner; 0 (root) too for a process that may not be dumped. */
uint32_t procfs_file_uid(int dir);

/* Arguments joined by blanks, cut at size - 1 bytes; "" for none. */
void procfs_file_cmdline(int dir, char *buf, size_t size);

/* Path in systemd's hierarchy (cgroup v1), else in the unified one; "" when neither is there. */
void procfs_file_cgroup(int dir, char *buf, size_t size);

/* The executable's path, without the " (deleted)" that readlink(2) adds for a file that is gone. */
void procfs_file_exe(int dir, char *buf, size_t size, bool *deleted);

/* include/linux/proc_ns.h: the first pid namespace has this inode on every kernel since 3.8. */
#define PID_NS_INIT 0xeffffffcu

/* Inode of a namespace ("net", "pid", …); 0: not permitted to know, or gone. */
uint64_t procfs_file_ns(int dir, const char *ns);

/* Cuts " (deleted)" off; true when it was there. */
bool procfs_file_cut_deleted(char *path);

#endif

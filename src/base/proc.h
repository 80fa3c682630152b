/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Single files under /proc/PID and /proc/PID/task/TID, read without allocating.
 *
 * dir is a descriptor of such a directory (O_PATH will do). It stays that process' or thread's:
 * after its end reading fails with -ESRCH, even when the number is in use again. Where only a path
 * is at hand, dir is AT_FDCWD and the name absolute; proc_path() makes one.
 *
 * Function           reads                 used for
 * proc_stat_read     stat                  state, parents, flags, start
 * proc_live_thread   stat of all threads   is the process alive
 * proc_has_ended     stat, task            have all of its threads ended
 * proc_status_read   status, whole         ids inside of namespaces, tracer, seccomp
 * proc_cgroup_read   cgroup                path in one hierarchy
 * proc_fd_socket     fd/N                  which socket a descriptor refers to
 * proc_ns            ns/NAME               inode of a namespace
 */
#ifndef EW_BASE_PROC_H
#define EW_BASE_PROC_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROC_PATH_MAX = 64 };

/*
 * Writes "/proc/PID/NAME" (tid 0) or "/proc/PID/task/TID/NAME" into buf, PROC_PATH_MAX bytes, and
 * returns it. name "": the directory itself.
 */
const char *proc_path(char *buf, pid_t pid, pid_t tid, const char *name);

/* Opens the directory of a process, close-on-exec, the caller's. Negative errno: -ENOENT, -ESRCH.
 */
int proc_open(pid_t pid);

/* Whether a negative errno of the functions here means that the process or thread has ended. */
bool proc_is_gone(int err);

/*
 * Reads up to size - 1 bytes of a file and terminates them. One read(2): that gives a file that is
 * one record (stat, environ, cmdline) whole if it fits; not so maps and mounts, which are made line
 * by line (base/lines.h). Returns the length, or a negative errno.
 */
ssize_t proc_read(int dir, const char *name, char *buf, size_t size);

/* The id of this boot, a UUID of 36 characters; "" where it cannot be read. */
void proc_boot_id(char *buf, size_t size);

/* Bits of proc_stat.flags, include/linux/sched.h. */
enum { PROC_EXITING = 0x4, PROC_KTHREAD = 0x200000 };

/* Fields of stat, proc(5). */
struct proc_stat {
	char comm[64]; /* 15 bytes; those of kernel threads may be longer */
	char state;    /* R S D T t Z X I */
	int32_t ppid;
	int32_t pgrp;
	int32_t session;
	uint32_t flags;	      /* PROC_EXITING: its descriptors are closed before it is a zombie */
	uint64_t start;	      /* clock ticks since boot */
	uint64_t start_stack; /* address; 0 for readers that may not trace the process */
	int32_t processor;    /* on which it runs, or ran last */
	int32_t exit_code;    /* as wait(2) gives it; 0 also for readers that may not know it */
};

/* text: the whole file. Returns 0, or -EBADMSG. */
int proc_stat_parse(const char *text, struct proc_stat *ret);

/* name: "stat", or an absolute path. Returns 0, -EBADMSG or another negative errno. */
int proc_stat_read(int dir, const char *name, struct proc_stat *ret);

/* The same for the process pid: one open(2) and one read(2). */
int proc_stat_of(pid_t pid, struct proc_stat *ret);

/*
 * Whether a process is alive: it is as long as one of its threads is. The first thread can end
 * before the others; /proc/PID/stat then shows a zombie, and /proc/PID has neither descriptors nor
 * a memory map, while /proc/PID/task/TID of a live thread has both.
 *
 * Returns a thread of the process that has not ended and is not exiting, the first one if that
 * qualifies; 0: the process has ended, or pid is another process by now (start: its start time; 0:
 * not compared); a negative errno: not known.
 */
pid_t proc_live_thread(pid_t pid, uint64_t start);

/* The same; first: stat of the process, just read. */
pid_t proc_live_thread_from(pid_t pid, const struct proc_stat *first);

/*
 * Whether the process has ended to its last thread, so that its descriptors are closed (do_exit(),
 * Linux 6.1: exit_files() before exit_notify()): it is gone, its pid is another process by now, or
 * its first thread is a zombie and the only one left. Stricter than proc_live_thread() == 0, which
 * begins with the exit. False where it cannot be read.
 */
bool proc_has_ended(pid_t pid, uint64_t start);

/*
 * Fields of status, proc(5). The file is read to its end: it holds every supplementary group, up to
 * 65,536 of them, before the last fields. A field that this kernel does not have is 0.
 */
struct proc_status {
	int32_t tgid;
	int32_t tracer;	   /* 0: not traced */
	int32_t ns_pid;	   /* its own getpid(): the innermost of NSpid (Linux 4.1) */
	uint32_t ns_depth; /* numbers in NSpid: 1 in the pid namespace of this /proc; 0: no NSpid */
	uint32_t threads;  /* of the process */
	uint32_t fd_size;  /* of the descriptor table */
	uint32_t seccomp;  /* 0 off, 1 strict, 2 filter */
	bool shadow_stack; /* x86_Thread_features has shstk (Linux 6.6) */
	uint64_t switches; /* of context, voluntary or not: constant while a thread does not run */
};

/* One line of status, terminated, without its newline: sets the field that it holds, if any. */
void proc_status_line(const char *line, struct proc_status *status);

/* name: "status", or an absolute path. -EBADMSG: the file has no Tgid. */
int proc_status_read(int dir, const char *name, struct proc_status *ret);

/* Effective user, by the directory's owner; 0 (root) too for a process that may not be dumped. */
uint32_t proc_uid(int dir);

/* Arguments joined by blanks, cut at size - 1 bytes; "" for none. */
void proc_cmdline(int dir, char *buf, size_t size);

/*
 * Path of the process in one hierarchy of cgroups(7), as its cgroup namespace shows it:
 * "" the unified one (version 2), "name=systemd" a named one, "freezer" that of a controller of
 * version 1. Returns 0; -ENOENT: it is in no such hierarchy (buf is then ""); -ENAMETOOLONG; or
 * another negative errno.
 */
int proc_cgroup_read(int dir, const char *hierarchy, char *buf, size_t size);

/* The same in systemd's hierarchy (version 1) or, where there is none, in the unified one. */
int proc_cgroup(int dir, char *buf, size_t size);

/* The paths in the hierarchies that matter here, from one look at the file. */
struct proc_cgroups {
	struct proc_cgroup_path {
		int err; /* as proc_cgroup_read() returns it */
		char path[PATH_MAX];
	} freezer, systemd, unified;
};

void proc_cgroups_read(int dir, struct proc_cgroups *ret);
/* That of systemd, as proc_cgroup() chooses it. */
const struct proc_cgroup_path *proc_cgroups_systemd(const struct proc_cgroups *cgroups);

/* The executable's path, without the " (deleted)" that readlink(2) adds for a file that is gone. */
void proc_exe(int dir, char *buf, size_t size, bool *deleted);

/* Cuts " (deleted)" off; true when it was there. */
bool proc_cut_deleted(char *path);

/* Inode of a socket from the target of a link in /proc/PID/fd, "socket:[12345]"; 0: no socket. */
uint64_t proc_socket_inode(const char *target);

/*
 * The same from the link itself. name: "fd/3", "3" where dir is that of the descriptors, or an
 * absolute path. 0 also for a descriptor that is closed. Returns 0, or a negative errno: -EACCES
 * and -EPERM where more (CAP_SYS_PTRACE) is needed for what descriptors refer to than for their
 * list.
 */
int proc_fd_socket(int dir, const char *name, uint64_t *inode);

/* The same for descriptor fd of a thread. */
int proc_thread_socket(pid_t pid, pid_t tid, int fd, uint64_t *inode);

/* include/linux/proc_ns.h: the first pid namespace has this inode on every kernel since 3.8. */
#define PROC_PIDNS_INIT UINT64_C(0xeffffffc)

/* Inode of a namespace ("net", "pid", "mnt", ...); 0: not permitted to know, or gone. */
uint64_t proc_ns(int dir, const char *ns);

/* The same of the calling thread. */
uint64_t proc_ns_own(const char *ns);

#endif

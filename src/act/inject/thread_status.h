/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What /proc says of one thread, as far as it decides whether the thread may be touched. */
#ifndef EW_ACT_INJECT_THREAD_STATUS_H
#define EW_ACT_INJECT_THREAD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct thread_status {
	char state;	      /* R S D T t Z X I; 0: not read */
	bool kernel_thread;   /* PF_KTHREAD */
	bool exiting;	      /* PF_EXITING */
	uint64_t start_ticks; /* field 22 of stat */
	pid_t tgid;
	pid_t tracer; /* 0: not traced */
	unsigned int threads;
	unsigned int fd_size; /* of the descriptor table */
	unsigned int seccomp; /* 0 off, 1 strict, 2 filter */
	bool shadow_stack;
};

/* text: the whole of /proc/PID/task/TID/stat, terminated. -EPROTO: not that. */
int thread_status_parse_stat(const char *text, struct thread_status *ret);

/* text: the whole of /proc/PID/task/TID/status, terminated. -EPROTO: not that. */
int thread_status_parse_status(const char *text, struct thread_status *ret);

/* Reads both. -ENOENT, -ESRCH: no such thread. */
int thread_status_read(pid_t pid, pid_t tid, struct thread_status *ret);

/* Whether a program file that begins so is for another architecture, or 32-bit. */
bool thread_program_foreign(const void *head, size_t len);

/*
 * Reads a small file of /proc into buf, terminated. Returns its length or a negative errno. Files
 * that are one record (single_open() in fs/proc) come whole by one read.
 */
ssize_t thread_proc_read(pid_t pid, pid_t tid, const char *name, char *buf, size_t size);

#endif

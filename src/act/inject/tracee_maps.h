/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The address space of a target, from /proc/PID/task/TID/maps. */
#ifndef EW_ACT_INJECT_TRACEE_MAPS_H
#define EW_ACT_INJECT_TRACEE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TRACEE_MAPS_MAX = 65536 };

enum tracee_area_flag {
	AREA_READ = 1,
	AREA_WRITE = 2,
	AREA_EXEC = 4,
	AREA_SHARED = 8,
	AREA_FILE = 16,	 /* of a file, deleted or not, or memfd */
	AREA_STACK = 32, /* the first thread's stack, which grows */
	AREA_LIBC = 64,	 /* named like a C library: only decides where to search first */
	AREA_VDSO = 128,
};

struct tracee_area {
	uint64_t start, end;
	uint64_t offset, device, inode; /* of the file; inode 0: none */
	uint32_t flags;
};

struct tracee_maps {
	size_t n;
	bool truncated; /* more than TRACEE_MAPS_MAX */
	struct tracee_area area[TRACEE_MAPS_MAX];
};

/* line: one line of maps, without its newline. Returns 0, or -EPROTO: another format. */
int tracee_area_parse(const char *line, struct tracee_area *ret);

int tracee_maps_read(pid_t pid, pid_t tid, struct tracee_maps *ret);

/* The area that holds addr, or NULL. */
const struct tracee_area *tracee_maps_find(const struct tracee_maps *maps, uint64_t addr);

/* How far a frame may reach down a thread's stack. */
struct tracee_stack {
	uint64_t low; /* the frame must not reach below this; includes the margin */
	bool small;   /* scheduler stack of a Go program: 16 KB, inside of the heap */
};

/* What is known of a waiting thread. */
struct tracee_thread {
	uint64_t sp;
	uint64_t guard; /* tracee_guard_below(); 0: none */
	uint64_t tcb;	/* address of the C library's thread descriptor; 0: not known */
	bool idle;	/* in an untimed futex wait */
};

/*
 * Finds the lower end of the stack that contains sp: [stack]; an area with a guard inside or right
 * below it; or a Go program's heap while the thread is idle in the scheduler. The C libraries keep
 * the TCB at the top of a thread's stack: if it is known to be elsewhere, sp is on another stack
 * (of a fiber, of signals), and a guard below may belong to glibc's heap. Returns 0, or -ENOTSUP: a
 * stack of another kind.
 */
int tracee_maps_stack(const struct tracee_maps *maps, const struct tracee_thread *thread,
		      struct tracee_stack *ret);

#endif

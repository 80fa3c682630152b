/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Work that may never return, done in a child process: a read from a file system that does not
 * answer blocks in the kernel, where no signal but SIGKILL, and at times not even that, ends it. A
 * thread would not do: a process with such a thread cannot exit.
 */
#ifndef EW_BASE_BOUNDED_H
#define EW_BASE_BOUNDED_H

#include <stddef.h>
#include <stdint.h>

/* Whole milliseconds that reach that time (mono ns; 0: no bound), most_ms at most; 0: it has
 * passed. */
int bounded_ms(int most_ms, int64_t until);

/*
 * In the child, whose standard descriptors are /dev/null. out: where its result is written. Returns
 * its exit status.
 */
typedef int (*bounded_work)(void *ctx, int out);

/*
 * A work that a program does: becomes argv[0] of /usr/bin or /bin, whose standard output is the
 * result. Returns only when that cannot be run: 127.
 */
int bounded_exec(char *const *argv, int out);

/* In the caller, for each part of the result that arrives. A negative errno ends the work. */
typedef int (*bounded_got)(void *ctx, const char *part, size_t len);

/* A child at work. */
struct bounded {
	int pid; /* 0: none */
	int in;	 /* its result arrives here */
};

/*
 * Forks: the child works on, with ctx as it is now, until bounded_end(). It has the caller's
 * descriptors; a lock of flock(2) on one of them would be held by both. 0 or a negative errno.
 */
int bounded_begin(struct bounded *child, bounded_work work, void *ctx);
/* Takes its result, as bounded_run() does. */
int bounded_end(struct bounded *child, int idle_ms, int64_t until, bounded_got got, void *ctx);
/*
 * The next byte of its result, while it works on; -ETIMEDOUT when none arrives within wait_ms,
 * -EPIPE after the last one, or another negative errno.
 */
int bounded_byte(struct bounded *child, int wait_ms);
/* Kills it. One that has not begun, or has ended, is fine. */
void bounded_drop(struct bounded *child);

/* Kills a child of this process. One that does not even die of that is left to init. */
void bounded_abandon(int pid);

/*
 * Forks, and calls work in the child and got in the caller. Returns 0 when the child has ended with
 * 0 and all that it wrote was consumed; -ETIMEDOUT when nothing arrived for idle_ms, or at until
 * (mono ns; 0: no bound): the child is killed, and left behind if even that does not end it; -EIO:
 * it ended otherwise; another negative errno, also got's.
 */
int bounded_run(int idle_ms, int64_t until, bounded_work work, void *work_ctx, bounded_got got,
		void *got_ctx);

/* The same into buf, at most size - 1 bytes and terminated. Returns the length too. */
int bounded_text(int idle_ms, int64_t until, bounded_work work, void *work_ctx, char *buf,
		 size_t size);

#endif

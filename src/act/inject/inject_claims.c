/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_claims.h"
#include "act/inject/inject_result.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Of the len bytes from first on (0: to the end). Returns as fcntl(2). */
static int lock_op(int file, int op, short type, pid_t first, off_t len, struct flock *lock)
{
	*lock = (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = len
	};
	return fcntl(file, op, lock);
}

/* The first byte that another process has locked, or 0. */
static pid_t locked_byte(int file, pid_t first, off_t len, pid_t *holder)
{
	struct flock lock;

	if (!file || lock_op(file, F_GETLK, F_WRLCK, first, len, &lock) < 0 ||
	    lock.l_type == F_UNLCK)
		return 0;
	*holder = lock.l_pid;
	return (pid_t)lock.l_start;
}

int inject_claims_check(const struct inject_request *request, struct inject_end *end)
{
	pid_t holder;

	if (!locked_byte(request->claims, request->pid, 1, &holder))
		return 0;
	return inject_refuse_seen(end, INJECT_R_CLAIMED, -EBUSY,
				  "an earlier injector (process {seen}) still works on process "
				  "{pid}",
				  (uint64_t)holder);
}

int inject_claims_take(const struct inject_request *request, struct inject_end *end)
{
	struct flock lock;
	int err;

	if (!request->claims ||
	    lock_op(request->claims, F_SETLK, F_WRLCK, request->pid, 1, &lock) == 0)
		return 0;
	err = -errno;
	if (inject_claims_check(request, end) < 0)
		return -EBUSY;
	return inject_refuse(end, INJECT_R_SYSTEM, err, "claim process {pid} in the lock file");
}

void inject_claims_drop(const struct inject_request *request)
{
	struct flock lock;

	if (request->claims)
		lock_op(request->claims, F_SETLK, F_UNLCK, request->pid, 1, &lock);
}

pid_t inject_claims_next(int file, pid_t after, pid_t *holder)
{
	return locked_byte(file, after + 1, 0, holder);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/tracee_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

void tracee_mem_init(struct tracee_mem *mem, pid_t tid, unsigned *calls)
{
	mem->tid = tid;
	mem->fd = -1;
	mem->calls = calls;
}

void tracee_mem_close(struct tracee_mem *mem)
{
	if (mem->fd >= 0)
		close(mem->fd);
	mem->fd = -1;
}

/*
 * Opens /proc/TID/mem if err means that process_vm_* is not built in, or is forbidden by a seccomp
 * filter of this process. If access to the target is forbidden, the open fails too.
 */
static int fall_back(struct tracee_mem *mem, int err)
{
	char path[32];

	if (err != ENOSYS && err != EPERM)
		return -err;
	snprintf(path, sizeof(path), "/proc/%d/mem", mem->tid);
	++*mem->calls;
	mem->fd = open(path, O_RDWR | O_CLOEXEC);
	return mem->fd < 0 ? -errno : 0;
}

ssize_t tracee_mem_read(struct tracee_mem *mem, uint64_t addr, void *buf, size_t len)
{
	struct iovec to = { buf, len }, from = { (void *)addr, len };
	ssize_t n;

	++*mem->calls;
	if (mem->fd < 0) {
		int err;

		n = process_vm_readv(mem->tid, &to, 1, &from, 1, 0);
		if (n >= 0)
			return n;
		err = fall_back(mem, errno);
		if (err < 0)
			return err;
	}
	n = pread(mem->fd, buf, len, (off_t)addr);
	return n < 0 ? -errno : n;
}

/*
 * The kernel pins the target's pages for writing before it reads the source
 * (process_vm_rw_pages(), mm/process_vm_access.c), and the source, at address 0, cannot be read.
 */
void tracee_mem_prepare(struct tracee_mem *mem, uint64_t addr, uint64_t end)
{
	struct iovec from = { NULL, end - addr }, to = { (void *)addr, end - addr };

	++*mem->calls;
	if (process_vm_writev(mem->tid, &from, 1, &to, 1, 0) < 0)
		return; /* EFAULT, as intended */
}

int tracee_mem_write(struct tracee_mem *mem, uint64_t addr, const void *buf, size_t len)
{
	struct iovec from = { (void *)buf, len }, to = { (void *)addr, len };
	ssize_t n;

	++*mem->calls;
	if (mem->fd < 0) {
		int err;

		n = process_vm_writev(mem->tid, &from, 1, &to, 1, 0);
		if (n >= 0)
			return (size_t)n == len ? 0 : -EFAULT;
		err = fall_back(mem, errno);
		if (err < 0)
			return err;
	}
	n = pwrite(mem->fd, buf, len, (off_t)addr);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EFAULT;
}

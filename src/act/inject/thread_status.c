/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/thread_status.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLAG_EXITING = 0x4, FLAG_KTHREAD = 0x200000 }; /* include/linux/sched.h */

int thread_status_parse_stat(const char *text, struct thread_status *ret)
{
	const char *after = strrchr(text, ')'); /* the name may hold spaces and brackets */
	unsigned long flags;
	char state;

	if (!after || sscanf(after,
			     ") %c %*d %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d "
			     "%*d %*d %*d %*d %" SCNu64,
			     &state, &flags, &ret->start_ticks) != 3)
		return -EPROTO;
	ret->state = state;
	ret->exiting = flags & FLAG_EXITING;
	ret->kernel_thread = flags & FLAG_KTHREAD;
	return 0;
}

/* The number after "\nKEY:\t"; absent (older kernel): 0. */
static unsigned long field(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

int thread_status_parse_status(const char *text, struct thread_status *ret)
{
	const char *features = strstr(text, "\nx86_Thread_features:");

	ret->tgid = (pid_t)field(text, "\nTgid:\t");
	if (ret->tgid == 0)
		return -EPROTO;
	ret->tracer = (pid_t)field(text, "\nTracerPid:\t");
	ret->threads = (unsigned int)field(text, "\nThreads:\t");
	ret->fd_size = (unsigned int)field(text, "\nFDSize:\t");
	ret->seccomp = (unsigned int)field(text, "\nSeccomp:\t");
	if (features) {
		const char *end = strchr(features + 1, '\n');
		const char *shstk = strstr(features, "shstk");

		ret->shadow_stack = shstk && (!end || shstk < end);
	} else {
		ret->shadow_stack = false;
	}
	return 0;
}

bool thread_program_foreign(const void *head, size_t len)
{
#if defined(__x86_64__)
	static const uint16_t machine = EM_X86_64;
#elif defined(__aarch64__)
	static const uint16_t machine = EM_AARCH64;
#endif
	Elf64_Ehdr elf; /* up to e_machine both classes are alike */

	if (len < offsetof(Elf64_Ehdr, e_version))
		return false;
	memcpy(&elf, head, offsetof(Elf64_Ehdr, e_version));
	return memcmp(elf.e_ident, ELFMAG, SELFMAG) == 0 &&
	       (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != machine);
}

ssize_t thread_proc_read(pid_t pid, pid_t tid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

int thread_status_read(pid_t pid, pid_t tid, struct thread_status *ret)
{
	char text[4096];
	ssize_t n = thread_proc_read(pid, tid, "stat", text, sizeof(text));
	int err;

	if (n < 0)
		return (int)n;
	err = thread_status_parse_stat(text, ret);
	if (err < 0)
		return err;
	n = thread_proc_read(pid, tid, "status", text, sizeof(text));
	return n < 0 ? (int)n : thread_status_parse_status(text, ret);
}

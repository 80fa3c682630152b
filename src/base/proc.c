/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lines.h"

const char *proc_path(char *buf, pid_t pid, pid_t tid, const char *name)
{
	if (tid)
		snprintf(buf, PROC_PATH_MAX, "/proc/%d/task/%d/%s", pid, tid, name);
	else
		snprintf(buf, PROC_PATH_MAX, "/proc/%d/%s", pid, name);
	return buf;
}

int proc_open(pid_t pid)
{
	char path[PROC_PATH_MAX];
	int dir = open(proc_path(path, pid, 0, ""), O_PATH | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? -errno : dir;
}

bool proc_is_gone(int err)
{
	return err == -ESRCH || err == -ENOENT;
}

ssize_t proc_read(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;
	int err;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	err = len < 0 ? -errno : 0;
	close(fd);
	if (err < 0)
		return err;
	buf[len] = '\0';
	return len;
}

/* ---- stat ---- */

/* Field n of stat, as proc(5) counts them, from the blank before field 3 on; NULL: there is none.
 */
static const char *stat_field(const char *after_comm, int n)
{
	const char *at = after_comm;

	for (int i = 3; at && i < n; i++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : NULL;
}

void proc_boot_id(char *buf, size_t size)
{
	if (proc_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", buf, size) < 0)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

int proc_stat_parse(const char *text, struct proc_stat *ret)
{
	/* The name may hold blanks and parentheses: it ends with the last one. */
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	const char *start, *stack, *processor, *exit_code;

	if (!open || !close || close < open ||
	    sscanf(close + 1, " %c %d %d %d %*d %*d %u", &ret->state, &ret->ppid, &ret->pgrp,
		   &ret->session, &ret->flags) != 5)
		return -EBADMSG;
	start = stat_field(close + 1, 22);
	if (!start)
		return -EBADMSG;
	ret->start = strtoull(start, NULL, 10);
	stack = stat_field(close + 1, 28);
	ret->start_stack = stack ? strtoull(stack, NULL, 10) : 0;
	processor = stat_field(close + 1, 39);
	ret->processor = processor ? (int32_t)strtol(processor, NULL, 10) : 0;
	exit_code = stat_field(close + 1, 52);
	ret->exit_code = exit_code ? (int32_t)strtol(exit_code, NULL, 10) : 0;
	snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)(close - open - 1), open + 1);
	return 0;
}

int proc_stat_read(int dir, const char *name, struct proc_stat *ret)
{
	char text[1024];
	ssize_t len = proc_read(dir, name, text, sizeof(text));

	return len < 0 ? (int)len : proc_stat_parse(text, ret);
}

int proc_stat_of(pid_t pid, struct proc_stat *ret)
{
	char path[PROC_PATH_MAX];

	return proc_stat_read(AT_FDCWD, proc_path(path, pid, 0, "stat"), ret);
}

/* ---- status ---- */

/* The last of the numbers in a line. */
static long last_number(const char *values, uint32_t *n)
{
	const char *blank = strpbrk(values, " \t");

	*n = 1;
	while (blank && blank[1]) {
		++*n;
		values = blank + 1;
		blank = strpbrk(values, " \t");
	}
	return strtol(values, NULL, 10);
}

void proc_status_line(const char *line, struct proc_status *status)
{
	const char *value = strchr(line, ':');
	size_t len = value ? (size_t)(value - line) : 0;

	if (!value)
		return;
	value += value[1] == '\t' ? 2 : 1;
#define IS(key) (len == sizeof(key) - 1 && memcmp(line, key, len) == 0)
	if (IS("Tgid"))
		status->tgid = (int32_t)strtol(value, NULL, 10);
	else if (IS("TracerPid"))
		status->tracer = (int32_t)strtol(value, NULL, 10);
	else if (IS("NSpid"))
		status->ns_pid = (int32_t)last_number(value, &status->ns_depth);
	else if (IS("Threads"))
		status->threads = (uint32_t)strtoul(value, NULL, 10);
	else if (IS("FDSize"))
		status->fd_size = (uint32_t)strtoul(value, NULL, 10);
	else if (IS("Seccomp"))
		status->seccomp = (uint32_t)strtoul(value, NULL, 10);
	else if (IS("x86_Thread_features"))
		status->shadow_stack = strstr(value, "shstk");
	else if (IS("voluntary_ctxt_switches") || IS("nonvoluntary_ctxt_switches"))
		status->switches += strtoull(value, NULL, 10);
#undef IS
}

int proc_status_read(int dir, const char *name, struct proc_status *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct lines lines;
	char buf[2048], *line;
	size_t len;

	*ret = (struct proc_status){ 0 };
	if (fd < 0)
		return -errno;
	lines_init(&lines, fd, buf, sizeof(buf));
	while ((line = lines_next(&lines, &len)))
		proc_status_line(line, ret);
	close(fd);
	if (lines.err)
		return lines.err;
	return ret->tgid ? 0 : -EBADMSG;
}

/* ---- the rest ---- */

uint32_t proc_uid(int dir)
{
	struct stat st;

	return fstat(dir, &st) < 0 ? 0 : st.st_uid;
}

void proc_cmdline(int dir, char *buf, size_t size)
{
	ssize_t len = proc_read(dir, "cmdline", buf, size);

	if (len < 0)
		len = 0;
	while (len > 0 && buf[len - 1] == '\0')
		len--;
	for (ssize_t i = 0; i < len; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[len] = '\0';
}

#define DELETED " (deleted)"

static bool is_marked_deleted(const char *path, size_t len)
{
	size_t mark = sizeof(DELETED) - 1;

	return len > mark && strcmp(path + len - mark, DELETED) == 0;
}

bool proc_cut_deleted(char *path)
{
	size_t len = strlen(path);

	if (!is_marked_deleted(path, len))
		return false;
	path[len - (sizeof(DELETED) - 1)] = '\0';
	return true;
}

void proc_exe(int dir, char *buf, size_t size, bool *deleted)
{
	ssize_t len = readlinkat(dir, "exe", buf, size - 1);
	struct stat st;

	buf[len < 0 ? 0 : len] = '\0';
	/* A file may really be called "x (deleted)"; one without a name has no links. */
	*deleted = len > 0 && is_marked_deleted(buf, (size_t)len) &&
		   fstatat(dir, "exe", &st, 0) == 0 && st.st_nlink == 0;
	if (*deleted)
		proc_cut_deleted(buf);
}

uint64_t proc_socket_inode(const char *target)
{
	static const char mark[] = "socket:[";

	return strncmp(target, mark, sizeof(mark) - 1) == 0
		       ? strtoull(target + sizeof(mark) - 1, NULL, 10)
		       : 0;
}

int proc_fd_socket(int dir, const char *name, uint64_t *inode)
{
	char target[64];
	ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);

	*inode = 0;
	if (len < 0)
		return proc_is_gone(-errno) ? 0 : -errno;
	target[len] = '\0';
	*inode = proc_socket_inode(target);
	return 0;
}

int proc_thread_socket(pid_t pid, pid_t tid, int fd, uint64_t *inode)
{
	char path[PROC_PATH_MAX], name[16];

	snprintf(name, sizeof(name), "fd/%d", fd);
	return proc_fd_socket(AT_FDCWD, proc_path(path, pid, tid, name), inode);
}

uint64_t proc_ns(int dir, const char *ns)
{
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "ns/%s", ns);
	return fstatat(dir, name, &st, 0) < 0 ? 0 : st.st_ino;
}

uint64_t proc_ns_own(const char *ns)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", ns);
	if (stat(path, &st) == 0)
		return st.st_ino;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns); /* before 3.17 */
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

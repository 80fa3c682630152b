/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dirents.h"
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
	const char *start, *processor, *exit_code;

	if (!open || !close || close < open ||
	    sscanf(close + 1, " %c %d %d %d %*d %*d %u", &ret->state, &ret->ppid, &ret->pgrp,
		   &ret->session, &ret->flags) != 5)
		return -EBADMSG;
	start = stat_field(close + 1, 22);
	if (!start)
		return -EBADMSG;
	ret->start = strtoull(start, NULL, 10);
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

/* ---- alive or not ---- */

static bool is_live(const struct proc_stat *stat)
{
	return stat->state != 'Z' && stat->state != 'X' && !(stat->flags & PROC_EXITING);
}

static int thread_stat(pid_t pid, pid_t tid, struct proc_stat *ret)
{
	char path[PROC_PATH_MAX];

	return proc_stat_read(AT_FDCWD, proc_path(path, pid, tid, "stat"), ret);
}

/* As proc_live_thread(), for a process whose first thread does not qualify. */
static pid_t other_live_thread(pid_t pid)
{
	struct dirents threads;
	struct proc_stat stat;
	char path[PROC_PATH_MAX];
	pid_t tid;
	int err = dirents_open(&threads, AT_FDCWD, proc_path(path, pid, 0, "task"));

	if (err < 0)
		return proc_is_gone(err) ? 0 : err;
	while ((tid = dirents_next(&threads)) > 0) {
		err = thread_stat(pid, tid, &stat);
		if (!err && is_live(&stat))
			break;
		if (err < 0 && !proc_is_gone(err)) {
			tid = err;
			break;
		}
	}
	dirents_close(&threads);
	return proc_is_gone(tid) ? 0 : tid;
}

pid_t proc_live_thread_from(pid_t pid, const struct proc_stat *first)
{
	return is_live(first) ? pid : other_live_thread(pid);
}

pid_t proc_live_thread(pid_t pid, uint64_t start)
{
	struct proc_stat stat;
	int err = proc_stat_of(pid, &stat);

	if (err < 0)
		return proc_is_gone(err) ? 0 : err;
	return start && stat.start != start ? 0 : proc_live_thread_from(pid, &stat);
}

/* The first thread stays as a zombie until the others have ended. task has a link for each. */
static bool is_alone(int dir, const struct proc_stat *first)
{
	struct stat task;

	if (first->state != 'Z' && first->state != 'X')
		return false;
	return fstatat(dir, "task", &task, 0) < 0 ? proc_is_gone(-errno) : task.st_nlink <= 3;
}

bool proc_has_ended(pid_t pid, uint64_t start)
{
	int dir = proc_open(pid), err;
	struct proc_stat first;
	bool ended;

	if (dir < 0)
		return proc_is_gone(dir);
	err = proc_stat_read(dir, "stat", &first);
	if (err < 0)
		ended = proc_is_gone(err);
	else
		ended = first.start != start || is_alone(dir, &first);
	close(dir);
	return ended;
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

/* ---- cgroup ---- */

/* "freezer" is in "cpu,freezer,memory"; "" only in "". */
static bool list_has(const char *list, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	while (true) {
		const char *comma = memchr(list, ',', len);
		size_t item = comma ? (size_t)(comma - list) : len;

		if (item == name_len && memcmp(list, name, item) == 0)
			return true;
		if (!comma)
			return false;
		list += item + 1;
		len -= item + 1;
	}
}

/* "4:cpu,freezer:/path": the path, if it is of that hierarchy. */
static const char *cgroup_path(const char *line, const char *hierarchy)
{
	const char *list = strchr(line, ':');
	const char *path = list ? strchr(list + 1, ':') : NULL;

	if (!path || !list_has(list + 1, (size_t)(path - list - 1), hierarchy))
		return NULL;
	return path + 1;
}

/* A hierarchy that is looked for. */
struct wanted {
	const char *hierarchy;
	int err; /* -ENOENT: not found yet */
	char *buf;
	size_t size;
};

static void wanted_take(struct wanted *wanted, const char *line, bool cut)
{
	const char *path = cgroup_path(line, wanted->hierarchy);

	if (wanted->err == -ENOENT && path)
		wanted->err = cut || (size_t)snprintf(wanted->buf, wanted->size, "%s", path) >=
						      wanted->size
				      ? -ENAMETOOLONG
				      : 0;
}

static void cgroups_find(int dir, struct wanted *wanted, size_t n)
{
	int fd = openat(dir, "cgroup", O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;
	char text[PATH_MAX + 256], *line;
	struct lines lines;
	size_t len, left = n;

	for (size_t i = 0; i < n; i++) {
		wanted[i].err = -ENOENT;
		wanted[i].buf[0] = '\0';
	}
	if (!err)
		lines_init(&lines, fd, text, sizeof(text));
	while (!err && left && (line = lines_next(&lines, &len))) {
		left = 0;
		for (size_t i = 0; i < n; i++) {
			wanted_take(&wanted[i], line, lines.cut);
			left += wanted[i].err == -ENOENT;
		}
	}
	if (!err) {
		close(fd);
		err = lines.err;
	}
	for (size_t i = 0; err && i < n; i++)
		wanted[i].err = err;
}

int proc_cgroup_read(int dir, const char *hierarchy, char *buf, size_t size)
{
	struct wanted wanted = { .hierarchy = hierarchy, .buf = buf, .size = size };

	cgroups_find(dir, &wanted, 1);
	return wanted.err;
}

void proc_cgroups_read(int dir, struct proc_cgroups *ret)
{
	struct proc_cgroup_path *paths[] = { &ret->freezer, &ret->systemd, &ret->unified };
	struct wanted wanted[] = { { .hierarchy = "freezer" },
				   { .hierarchy = "name=systemd" },
				   { .hierarchy = "" } };

	for (size_t i = 0; i < 3; i++) {
		wanted[i].buf = paths[i]->path;
		wanted[i].size = sizeof(paths[i]->path);
	}
	cgroups_find(dir, wanted, 3);
	for (size_t i = 0; i < 3; i++)
		paths[i]->err = wanted[i].err;
}

const struct proc_cgroup_path *proc_cgroups_systemd(const struct proc_cgroups *cgroups)
{
	return cgroups->systemd.err == -ENOENT ? &cgroups->unified : &cgroups->systemd;
}

int proc_cgroup(int dir, char *buf, size_t size)
{
	int err = proc_cgroup_read(dir, "name=systemd", buf, size);

	return err == -ENOENT ? proc_cgroup_read(dir, "", buf, size) : err;
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

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/procfs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t procfs_file_read(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;
	int err;

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

int procfs_file_stat(int dir, struct procfs_stat *stat)
{
	char buf[1024];
	ssize_t len = procfs_file_read(dir, "stat", buf, sizeof(buf));
	/* comm may hold blanks and parentheses: it ends with the last one. */
	char *open = strchr(buf, '('), *close = strrchr(buf, ')');
	unsigned long long start;
	int ppid;
	char state;

	if (len < 0)
		return (int)len;
	if (!open || !close || close < open ||
	    sscanf(close + 1,
		   " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%llu",
		   &state, &ppid, &start) != 3)
		return -EBADMSG;
	snprintf(stat->comm, sizeof(stat->comm), "%.*s", (int)(close - open - 1), open + 1);
	stat->ppid = ppid;
	stat->start = start;
	stat->state = state;
	return 0;
}

int32_t procfs_file_ns_pid(int dir)
{
	char buf[4096];
	ssize_t len = procfs_file_read(dir, "status", buf, sizeof(buf));
	const char *line = len < 0 ? NULL : strstr(buf, "\nNSpid:");
	const char *end;

	if (!line)
		return 0;
	end = line + 1 + strcspn(line + 1, "\n");
	while (end[-1] >= '0' && end[-1] <= '9')
		end--;
	return (int32_t)strtol(end, NULL, 10);
}

uint32_t procfs_file_uid(int dir)
{
	struct stat st;

	return fstat(dir, &st) < 0 ? 0 : st.st_uid;
}

void procfs_file_cmdline(int dir, char *buf, size_t size)
{
	ssize_t len = procfs_file_read(dir, "cmdline", buf, size);

	if (len < 0)
		len = 0;
	while (len > 0 && buf[len - 1] == '\0')
		len--;
	for (ssize_t i = 0; i < len; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[len] = '\0';
}

static bool line_path(const char *text, const char *key, char *buf, size_t size)
{
	const char *line = strstr(text, key);

	if (!line)
		return false;
	line += strlen(key);
	snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
	return true;
}

void procfs_file_cgroup(int dir, char *buf, size_t size)
{
	char text[8192];
	ssize_t len;

	text[0] = '\n'; /* so that every line is found by the newline before it */
	len = procfs_file_read(dir, "cgroup", text + 1, sizeof(text) - 1);
	buf[0] = '\0';
	if (len < 0)
		return;
	if (!line_path(text, ":name=systemd:", buf, size))
		line_path(text, "\n0::", buf, size);
}

bool procfs_file_cut_deleted(char *path)
{
	static const char mark[] = " (deleted)";
	size_t len = strlen(path), mark_len = sizeof(mark) - 1;

	if (len <= mark_len || strcmp(path + len - mark_len, mark) != 0)
		return false;
	path[len - mark_len] = '\0';
	return true;
}

void procfs_file_exe(int dir, char *buf, size_t size, bool *deleted)
{
	ssize_t len = readlinkat(dir, "exe", buf, size - 1);
	struct stat st;

	buf[len < 0 ? 0 : len] = '\0';
	/* A file may really be called "x (deleted)"; one without a name has no links. */
	*deleted = len > 0 && fstatat(dir, "exe", &st, 0) == 0 && st.st_nlink == 0;
	if (*deleted)
		procfs_file_cut_deleted(buf);
}

uint64_t procfs_file_ns(int dir, const char *ns)
{
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "ns/%s", ns);
	return fstatat(dir, name, &st, 0) < 0 ? 0 : st.st_ino;
}

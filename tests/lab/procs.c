/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "procs.h"

#include "buf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct proc {
	pid_t pid, ppid;
};

/* The text after "pid (comm) " of /proc/PID/stat; comm may contain anything. */
static const char *read_stat(pid_t pid, char *text, size_t size)
{
	char path[40], *paren;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	paren = strrchr(text, ')');
	return paren && paren[1] ? paren + 2 : NULL;
}

static size_t list_all(struct proc **procs)
{
	DIR *dir = opendir("/proc");
	struct buf all = { 0 };
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		struct proc p = { .pid = atoi(d->d_name) };
		char text[1024];
		const char *rest = isdigit((unsigned char)d->d_name[0])
					   ? read_stat(p.pid, text, sizeof(text))
					   : NULL;

		if (rest && sscanf(rest, "%*c %d", &p.ppid) == 1)
			buf_add(&all, &p, sizeof(p));
	}
	if (dir)
		closedir(dir);
	*procs = (struct proc *)all.data;
	return all.len / sizeof(struct proc);
}

size_t procs_trees(const pid_t *roots, size_t n_roots, pid_t **pids)
{
	struct proc *all;
	size_t n_all = list_all(&all);
	struct buf tree = { 0 };

	buf_add(&tree, roots, n_roots * sizeof(pid_t));
	for (size_t done = 0; done < tree.len / sizeof(pid_t); done++) {
		pid_t parent = ((pid_t *)tree.data)[done];

		for (size_t i = 0; i < n_all; i++)
			if (all[i].ppid == parent)
				buf_add(&tree, &all[i].pid, sizeof(pid_t));
	}
	free(all);
	*pids = (pid_t *)tree.data;
	return tree.len / sizeof(pid_t);
}

void procs_kill_trees(const pid_t *roots, size_t n_roots)
{
	pid_t *pids;
	size_t n = procs_trees(roots, n_roots, &pids);

	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGSTOP);
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	free(pids);
}

static bool threads_in_state(pid_t pid, char wanted)
{
	char path[40], text[1024];
	bool all = true;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && all && (d = readdir(dir))) {
		const char *rest =
			d->d_name[0] == '.' ? NULL : read_stat(atoi(d->d_name), text, sizeof(text));

		all = !rest || *rest == wanted;
	}
	if (dir)
		closedir(dir);
	return all;
}

void procs_await_state(pid_t pid, char state)
{
	for (int ms = 0; ms < 1000 && !threads_in_state(pid, state); ms++)
		usleep(1000);
}

unsigned long long procs_start_time(pid_t pid)
{
	char text[1024], state = 'Z';
	unsigned long long start = 0;
	const char *rest = pid > 0 ? read_stat(pid, text, sizeof(text)) : NULL;

	/* Fields 3 (state) and 22 (starttime) of proc_pid_stat(5). */
	if (!rest || sscanf(rest,
			    "%c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
			    "%*d %*d %*d %*d %llu",
			    &state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : start;
}

pid_t procs_host_pid(void)
{
	char text[32];
	ssize_t n = readlinkat(FD_HOST_PROC, "self", text, sizeof(text) - 1);

	if (n <= 0)
		n = readlink("/proc/self", text, sizeof(text) - 1);

	if (n <= 0)
		return getpid();
	text[n] = '\0';
	return atoi(text);
}

unsigned long long procs_host_start_time(void)
{
	return procs_start_time(fcntl(FD_HOST_PROC, F_GETFD) < 0 ? procs_host_pid() : getpid());
}

int procs_pidfd(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int procs_run(const char *const argv[], const char *input)
{
	posix_spawn_file_actions_t fa;
	int in = input ? procs_memfd("input", input, strlen(input)) : -1;
	int status = -1, err;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, STDERR_FILENO, STDOUT_FILENO);
	err = posix_spawnp(&pid, argv[0], &fa, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (in >= 0)
		close(in);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

void procs_place_fd(int fd, int to)
{
	if (fd == to) {
		fcntl(fd, F_SETFD, 0);
		return;
	}
	if (dup2(fd, to) < 0)
		lab_die("dup2(%d, %d): %s", fd, to, strerror(errno));
	close(fd);
}

int procs_memfd(const char *name, const char *data, size_t len)
{
	int fd = memfd_create(name, 0);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		lab_die("memfd '%s': %s", name, strerror(errno));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

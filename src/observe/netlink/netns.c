/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

struct visit {
	int nsfd;
	int (*fn)(void *arg);
	void *arg;
	int result;
	bool entered;
};

static void *visit_run(void *arg)
{
	struct visit *visit = arg;

	if (setns(visit->nsfd, CLONE_NEWNET) < 0) {
		visit->result = -errno;
		return NULL;
	}
	visit->entered = true;
	visit->result = visit->fn(visit->arg);
	return NULL;
}

int netns_run(int nsfd, int (*fn)(void *arg), void *arg, struct error *error)
{
	struct visit visit = { .nsfd = nsfd, .fn = fn, .arg = arg };
	pthread_t thread;
	int err;

	if (nsfd == NETNS_OWN)
		return fn(arg);
	err = pthread_create(&thread, NULL, visit_run, &visit);
	if (err)
		return error_set(error, -err, NULL, "start a thread for a network namespace");
	pthread_join(thread, NULL);
	if (!visit.entered)
		return error_set(error, visit.result, "run as root", "enter a network namespace");
	return visit.result;
}

struct open_socket {
	int domain;
	int type;
	int protocol;
};

static int open_socket(void *arg)
{
	const struct open_socket *want = arg;
	int fd = socket(want->domain, want->type | SOCK_CLOEXEC, want->protocol);

	return fd < 0 ? -errno : fd;
}

int netns_socket(int nsfd, int domain, int type, int protocol, struct error *error)
{
	struct open_socket want = { .domain = domain, .type = type, .protocol = protocol };
	struct error inner = { 0 };
	int fd = netns_run(nsfd, open_socket, &want, &inner);

	if (fd >= 0)
		return fd;
	if (inner.code) {
		if (error)
			*error = inner;
		return fd;
	}
	return error_set(error, fd, NULL, "open a socket of family %d, protocol %d", domain,
			 protocol);
}

int netns_of(pid_t pid, uint64_t *inode)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	*inode = st.st_ino;
	return fd;
}

int netns_find(uint64_t inode)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int fd = -ENOENT;
	uint64_t found;

	while (fd < 0 && proc && (entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		fd = netns_of(atoi(entry->d_name), &found); /* or it has ended, or is hidden */
		if (fd >= 0 && found != inode) {
			close(fd);
			fd = -ENOENT;
		}
	}
	if (proc)
		closedir(proc);
	return fd < 0 ? -ENOENT : fd;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/dirents.h"
#include "base/error.h"
#include "base/proc.h"

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

/* Whether fd refers to a network namespace. */
static bool is_netns(int fd)
{
	struct statfs fs;
	int type;

	if (fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != NSFS_MAGIC)
		return false;
	type = ioctl(fd, NS_GET_NSTYPE);
	return type < 0 ? errno == ENOTTY : type == CLONE_NEWNET;
}

int netns_open_path(const char *path, uint64_t *inode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (!is_netns(fd)) {
		close(fd);
		return -EINVAL;
	}
	*inode = netns_inode(fd);
	return fd;
}

int netns_open_pid(pid_t pid, uint64_t *inode)
{
	char path[PROC_PATH_MAX];

	return netns_open_path(proc_path(path, pid, 0, "ns/net"), inode);
}

int netns_open_inode(uint64_t inode)
{
	struct dirents processes;
	int fd = -ENOENT, pid;
	uint64_t found;

	if (dirents_open(&processes, AT_FDCWD, "/proc") < 0)
		return -ENOENT;
	while (fd < 0 && (pid = dirents_next(&processes)) >= 0) {
		fd = netns_open_pid(pid, &found); /* fails for one that has ended, or is hidden */
		if (fd >= 0 && found != inode) {
			close(fd);
			fd = -ENOENT;
		}
	}
	dirents_close(&processes);
	return fd < 0 ? -ENOENT : fd;
}

uint64_t netns_inode(int nsfd)
{
	struct stat st;

	if (nsfd == NETNS_OWN)
		return proc_ns_own("net");
	return fstat(nsfd, &st) < 0 ? 0 : st.st_ino;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_socket.h"
#include "act/inject/inject_report.h"
#include "act/inject/thread_status.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int option(int fd, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	return getsockopt(fd, level, name, &v, &len) == 0 ? v : -errno;
}

static int check_kind(const struct inject_target *t, int copy, struct inject_report *rep)
{
	int domain = option(copy, SOL_SOCKET, SO_DOMAIN);

	if ((domain != AF_INET && domain != AF_INET6) ||
	    option(copy, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
		return inject_refuse(rep, INJECT_R_NOT_TCP, -EPROTONOSUPPORT,
				     "descriptor %d of process %d is not a TCP socket", t->fd,
				     t->pid);
	if (option(copy, SOL_SOCKET, SO_ACCEPTCONN) != 0)
		return inject_refuse(rep, INJECT_R_LISTENING, -EINVAL,
				     "descriptor %d of process %d is a listening socket", t->fd,
				     t->pid);
	return 0;
}

static int check_identity(const struct inject_target *t, int copy, struct inject_report *rep)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;
	struct stat st;

	if (fstat(copy, &st) < 0)
		return inject_refuse(rep, INJECT_R_SYSTEM, -errno,
				     "stat a copy of descriptor %d of "
				     "process %d",
				     t->fd, t->pid);
	if (!S_ISSOCK(st.st_mode))
		return inject_refuse(rep, INJECT_R_NO_SOCKET, -ENOTSOCK,
				     "descriptor %d of process %d is not a socket", t->fd, t->pid);
	if (st.st_ino != t->inode)
		return inject_refuse(rep, INJECT_R_OTHER_SOCKET, -ESTALE,
				     "descriptor %d of process %d "
				     "is socket %ju, not %" PRIu64,
				     t->fd, t->pid, (uintmax_t)st.st_ino, t->inode);
	if (!t->cookie)
		return 0;
	if (getsockopt(copy, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0 || cookie != t->cookie)
		return inject_refuse(rep, INJECT_R_OTHER_SOCKET, -ESTALE,
				     "descriptor %d of process %d "
				     "has cookie %" PRIu64 ", not %" PRIu64,
				     t->fd, t->pid, cookie, t->cookie);
	return 0;
}

static int check_state(const struct inject_target *t, int state, struct inject_report *rep)
{
	if (state == TCP_ESTABLISHED)
		return 0;
	return inject_refuse(rep, INJECT_R_WRONG_STATE, -ENOTCONN,
			     "descriptor %d of process %d is in "
			     "TCP state %d, not established",
			     t->fd, t->pid, state);
}

int inject_socket_check(const struct inject_target *t, int copy, struct inject_report *rep)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int err = check_identity(t, copy, rep);

	if (err < 0)
		return err;
	err = check_kind(t, copy, rep);
	if (err < 0)
		return err;
	if (getsockopt(copy, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return inject_refuse(rep, INJECT_R_SYSTEM, -errno,
				     "read the TCP state of descriptor %d "
				     "of process %d",
				     t->fd, t->pid);
	err = check_state(t, info.tcpi_state, rep);
	if (err < 0)
		return err;
	if (inject_socket_is_shut(copy, 0))
		return inject_refuse(rep, INJECT_R_ALREADY_SHUT, -EALREADY,
				     "descriptor %d of process "
				     "%d has been shut down already",
				     t->fd, t->pid);
	return 0;
}

bool inject_socket_is_shut(int copy, int timeout_ms)
{
	struct pollfd p = { .fd = copy, .events = POLLRDHUP };

	return poll(&p, 1, timeout_ms) == 1 && p.revents & POLLRDHUP;
}

bool inject_socket_same(int copy, pid_t tid, int fd)
{
	return syscall(SYS_kcmp, getpid(), tid, KCMP_FILE, copy, fd) == 0;
}

static ssize_t read_link(pid_t pid, pid_t tid, int fd, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", pid, tid, fd);
	n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

bool inject_socket_open(pid_t pid, pid_t tid, int fd)
{
	char link[8];

	return read_link(pid, tid, fd, link, sizeof(link)) >= 0;
}

uint64_t inject_socket_inode(pid_t pid, pid_t tid, int fd)
{
	char link[64];
	uint64_t inode;

	if (read_link(pid, tid, fd, link, sizeof(link)) < 0 ||
	    sscanf(link, "socket:[%" SCNu64 "]", &inode) != 1)
		return 0;
	return inode;
}

/* TCP state of the socket in one of /proc/PID/net/tcp{,6}; -ENOENT: not in it. */
static int table_state(pid_t pid, const char *table, uint64_t inode)
{
	int state = -ENOENT, got_state;
	uint64_t got_inode;
	char path[48], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, table);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (state == -ENOENT && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*d: %*s %*s %x %*s %*s %*s %*d %*d %" SCNu64, &got_state,
			   &got_inode) == 2 &&
		    got_inode == inode)
			state = got_state;
	fclose(f);
	return state;
}

int inject_socket_check_proc(const struct inject_target *t, pid_t tid, struct inject_report *rep)
{
	uint64_t inode = inject_socket_inode(t->pid, tid, t->fd);
	int state;

	if (!inode)
		return inject_refuse(rep, INJECT_R_NO_SOCKET, -ENOTSOCK,
				     "descriptor %d of process %d is closed or not a socket", t->fd,
				     t->pid);
	if (inode != t->inode)
		return inject_refuse(rep, INJECT_R_OTHER_SOCKET, -ESTALE,
				     "descriptor %d of process %d "
				     "is socket %" PRIu64 ", not %" PRIu64,
				     t->fd, t->pid, inode, t->inode);
	state = table_state(tid, "tcp", inode);
	if (state == -ENOENT)
		state = table_state(tid, "tcp6", inode);
	if (state == -ENOENT)
		return inject_refuse(rep, INJECT_R_NOT_TCP, -EPROTONOSUPPORT,
				     "descriptor %d of process %d is not a TCP socket", t->fd,
				     t->pid);
	if (state < 0)
		return inject_refuse(rep, INJECT_R_SYSTEM, state,
				     "read the TCP table of process %d", t->pid);
	if (state == TCP_LISTEN)
		return inject_refuse(rep, INJECT_R_LISTENING, -EINVAL,
				     "descriptor %d of process %d is a listening socket", t->fd,
				     t->pid);
	return check_state(t, state, rep);
}

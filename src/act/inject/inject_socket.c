/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_socket.h"
#include "act/inject/inject_result.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
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

static int check_kind(int copy, struct inject_end *end)
{
	int domain = option(copy, SOL_SOCKET, SO_DOMAIN);

	if ((domain != AF_INET && domain != AF_INET6) ||
	    option(copy, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
		return inject_refuse(end, INJECT_R_NOT_TCP, -EPROTONOSUPPORT,
				     "descriptor {fd} of process {pid} is not a TCP socket");
	if (option(copy, SOL_SOCKET, SO_ACCEPTCONN) != 0)
		return inject_refuse(end, INJECT_R_LISTENING, -EINVAL,
				     "descriptor {fd} of process {pid} is a listening socket");
	return 0;
}

static int check_identity(const struct inject_request *request, int copy, struct inject_end *end)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;
	struct stat st;

	if (fstat(copy, &st) < 0)
		return inject_refuse(end, INJECT_R_SYSTEM, -errno,
				     "stat a copy of descriptor {fd} of process {pid}");
	if (!S_ISSOCK(st.st_mode))
		return inject_refuse(end, INJECT_R_NO_SOCKET, -ENOTSOCK,
				     "descriptor {fd} of process {pid} is not a socket");
	if (st.st_ino != request->inode)
		return inject_refuse_seen(
			end, INJECT_R_OTHER_SOCKET, -ESTALE,
			"descriptor {fd} of process {pid} is socket {seen}, not {inode}",
			st.st_ino);
	if (!request->cookie)
		return 0;
	if (getsockopt(copy, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0 || cookie != request->cookie)
		return inject_refuse_seen(
			end, INJECT_R_OTHER_SOCKET, -ESTALE,
			"descriptor {fd} of process {pid} has cookie {seen}, not {cookie}", cookie);
	return 0;
}

static int check_state(int state, struct inject_end *end)
{
	if (state == TCP_ESTABLISHED)
		return 0;
	return inject_refuse_seen(
		end, INJECT_R_WRONG_STATE, -ENOTCONN,
		"descriptor {fd} of process {pid} is in TCP state {seen}, not established", state);
}

int inject_socket_check(const struct inject_request *request, int copy, struct inject_end *end)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int err = check_identity(request, copy, end);

	if (err < 0)
		return err;
	err = check_kind(copy, end);
	if (err < 0)
		return err;
	if (getsockopt(copy, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return inject_refuse(end, INJECT_R_SYSTEM, -errno,
				     "read the TCP state of descriptor {fd} of process {pid}");
	err = check_state(info.tcpi_state, end);
	if (err < 0)
		return err;
	if (inject_socket_is_shut(copy, 0))
		return inject_refuse(end, INJECT_R_ALREADY_SHUT, -EALREADY,
				     "descriptor {fd} of process {pid} has been shut down already");
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

int inject_socket_check_proc(const struct inject_request *request, pid_t tid,
			     struct inject_end *end)
{
	uint64_t inode;
	int state, err = proc_thread_socket(request->pid, tid, request->fd, &inode);

	if (err < 0 || !inode)
		return inject_refuse(end, INJECT_R_NO_SOCKET, -ENOTSOCK,
				     "descriptor {fd} of process {pid} is closed or not a socket");
	if (inode != request->inode)
		return inject_refuse_seen(
			end, INJECT_R_OTHER_SOCKET, -ESTALE,
			"descriptor {fd} of process {pid} is socket {seen}, not {inode}", inode);
	state = table_state(tid, "tcp", inode);
	if (state == -ENOENT)
		state = table_state(tid, "tcp6", inode);
	if (state == -ENOENT)
		return inject_refuse(end, INJECT_R_NOT_TCP, -EPROTONOSUPPORT,
				     "descriptor {fd} of process {pid} is not a TCP socket");
	if (state < 0)
		return inject_refuse(end, INJECT_R_SYSTEM, state,
				     "read the TCP table of process {pid}");
	if (state == TCP_LISTEN)
		return inject_refuse(end, INJECT_R_LISTENING, -EINVAL,
				     "descriptor {fd} of process {pid} is a listening socket");
	return check_state(state, end);
}

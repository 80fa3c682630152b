/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "buf.h"
#include "conn.h"
#include "containerizer.h"
#include "procs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AGAIN_MS = 500 };

/* The exit status is the value given to sigqueue(3); 0 with kill(2). */
static void end_task(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	_exit(info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}

static int dial(const union addr *to)
{
	int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, &to->sa, addr_len(to)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Reads until the other side ends it; ends with the node. */
static void hold(int fd, bool leashed)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = leashed ? FD_LEASH : -1, .events = POLLIN } };
	char sink[4096];

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			_exit(0);
		if (fds[0].revents && read(fd, sink, sizeof(sink)) <= 0)
			return;
	}
}

/* Connects, says its piece, holds the connection; again when it was ended. */
static void talk(const union addr *to, const char *text, bool leashed)
{
	struct pollfd leash = { .fd = leashed ? FD_LEASH : -1, .events = POLLIN };

	for (;;) {
		int fd = dial(to);

		if (fd >= 0 && send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0)
			hold(fd, leashed);
		if (fd >= 0)
			close(fd);
		if (poll(&leash, 1, AGAIN_MS) > 0)
			_exit(0);
	}
}

static char *get_request(const char *path, const char *host)
{
	return lab_fmt("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lab\r\nAccept: */*\r\n\r\n",
		       path, host);
}

int bystander_main(int argc, char **argv)
{
	const char *kind = argc == 4 ? strchr(argv[1], '=') + 1 : "";
	union addr to;
	struct pollfd leash = { .fd = FD_LEASH, .events = POLLIN };
	char *text;

	if (argc != 4 || addr_parse(argv[2], atoi(argv[3]), &to) < 0)
		lab_die("usage: NAME --bystander=master|monitor|idle|none IP PORT");
	if (!strcmp(kind, "none")) {
		while (poll(&leash, 1, -1) <= 0)
			;
		return 0;
	}
	if (!strcmp(kind, "master"))
		text = lab_fmt("POST /slave(1)/mesos.internal.PingSlaveMessage HTTP/1.1\r\n"
			       "User-Agent: libprocess/slave-observer(1)@%s:5050\r\n"
			       "Libprocess-From: slave-observer(1)@%s:5050\r\n"
			       "Connection: Keep-Alive\r\nHost: \r\n\r\n",
			       argv[2], argv[2]);
	else if (!strcmp(kind, "monitor"))
		text = get_request("/metrics/snapshot", argv[2]);
	else
		text = lab_strdup("");
	talk(&to, text, fcntl(FD_LEASH, F_GETFD) >= 0);
	return 0;
}

/* http://IP:PORT/PATH */
static void curl(const char *url)
{
	char end[96], path[256];
	union addr to;

	if (sscanf(url, "http://%95[^/]%255s", end, path) != 2 || !addr_parse_end(end, &to))
		lab_die("bad URL '%s'", url);
	talk(&to, get_request(path, end), false);
}

int task_main(int argc, char **argv)
{
	struct sigaction end = { .sa_sigaction = end_task, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &end, NULL);
	if (!strcmp(argv[0], "curl") && argc == 2)
		curl(argv[1]);
	for (;;)
		pause();
}

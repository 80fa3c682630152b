/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an unwatched process does all day:
 *     process   fork, exec and exit of /bin/true
 *     connect   connect and close on loopback
 *     stream    128 KiB through one connection
 */
#ifndef EW_BENCH_LOADS_H
#define EW_BENCH_LOADS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct load {
	void (*once)(struct load *load);
	struct sockaddr_in addr;
	int listener;
	int ends[2];
};

/* Of this process and its children, microseconds. */
static inline double load_cpu_us(void)
{
	double us = 0;

	for (int i = 0; i < 2; i++) {
		struct rusage usage;

		getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &usage);
		us += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
		      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	}
	return us;
}

static inline void load_process(struct load *load)
{
	char *argv[] = { "true", NULL };
	pid_t pid;

	(void)load;
	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) == 0)
		waitpid(pid, NULL, 0);
}

/* Ended by a reset, so that no port stays in TIME_WAIT. */
static inline void load_connect(struct load *load)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), other;

	if (fd < 0 || connect(fd, (struct sockaddr *)&load->addr, sizeof(load->addr)) < 0)
		exit(1);
	other = accept(load->listener, NULL, NULL);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	close(other);
}

static inline void load_stream(struct load *load)
{
	static char block[128 * 1024];
	ssize_t sent = 0, got = 0;

	while (got < (ssize_t)sizeof(block)) {
		ssize_t len = send(load->ends[0], block + sent, sizeof(block) - (size_t)sent,
				   MSG_DONTWAIT);

		sent += len > 0 ? len : 0;
		len = recv(load->ends[1], block, sizeof(block), MSG_DONTWAIT);
		got += len > 0 ? len : 0;
	}
}

static inline void load_listen(struct load *load, uint16_t port)
{
	socklen_t len = sizeof(load->addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	load->addr = (struct sockaddr_in){ .sin_family = AF_INET,
					   .sin_port = htons(port),
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)&load->addr, sizeof(load->addr)) < 0 ||
	    listen(fd, 64) < 0 || getsockname(fd, (struct sockaddr *)&load->addr, &len) < 0)
		exit(1);
	load->listener = fd;
}

/* Run it where lo is up. port 0: any free one. */
static inline struct load load_begin(const char *kind, uint16_t port)
{
	struct load load = { .once = load_process };

	if (strcmp(kind, "process") == 0)
		return load;
	load_listen(&load, port);
	load.once = load_connect;
	if (strcmp(kind, "stream") != 0)
		return load;
	load.once = load_stream;
	load.ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(load.ends[0], (struct sockaddr *)&load.addr, sizeof(load.addr)) < 0)
		exit(1);
	load.ends[1] = accept(load.listener, NULL, NULL);
	return load;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an unwatched process does all day, and what it costs in CPU time:
 *     bench_load process N     N times fork, exec and exit of /bin/true
 *     bench_load connect N     N times connect and close on loopback
 *     bench_load stream N      N times 128 KiB through one connection
 * Prints microseconds of CPU for one. Run it where lo is up. It uses no agent port, unless one is
 * given behind N: then its connections are watched ones.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static double cpu_us(void)
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

static void process_once(void)
{
	char *argv[] = { "true", NULL };
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) == 0)
		waitpid(pid, NULL, 0);
}

static int listener(struct sockaddr_in *addr, uint16_t port)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, sizeof(*addr)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) < 0)
		exit(1);
	return fd;
}

/* Ended by a reset, so that no port stays in TIME_WAIT. */
static void connect_once(int from, const struct sockaddr_in *to)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), other;

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		exit(1);
	other = accept(from, NULL, NULL);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	close(other);
}

static void stream_once(int from, int to)
{
	static char block[128 * 1024];
	ssize_t sent = 0, got = 0;

	while (got < (ssize_t)sizeof(block)) {
		ssize_t len = send(from, block + sent, sizeof(block) - (size_t)sent, MSG_DONTWAIT);

		sent += len > 0 ? len : 0;
		len = recv(to, block, sizeof(block), MSG_DONTWAIT);
		got += len > 0 ? len : 0;
	}
}

int main(int argc, char **argv)
{
	long n = argc >= 3 ? strtol(argv[2], NULL, 10) : 0;
	uint16_t port = argc == 4 ? (uint16_t)strtoul(argv[3], NULL, 10) : 0;
	int ends[2] = { -1, -1 };
	struct sockaddr_in addr;
	double began;
	int fd = -1;

	if (n < 1)
		return 64;
	if (strcmp(argv[1], "process") != 0)
		fd = listener(&addr, port);
	if (strcmp(argv[1], "stream") == 0) {
		ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(ends[0], (struct sockaddr *)&addr, sizeof(addr)) < 0)
			return 1;
		ends[1] = accept(fd, NULL, NULL);
	}
	began = cpu_us();
	for (long i = 0; i < n; i++) {
		if (ends[0] >= 0)
			stream_once(ends[0], ends[1]);
		else if (fd >= 0)
			connect_once(fd, &addr);
		else
			process_once();
	}
	printf("%.3f\n", (cpu_us() - began) / (double)n);
	return 0;
}

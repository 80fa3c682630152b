/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ctl.h"

#include "buf.h"
#include "launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int dial(const char *dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/ctl.sock", dir) >=
	    (int)sizeof(at.sun_path))
		lab_die("'%s' is too long for a socket's path", dir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		lab_die("no node runs in '%s': %s", dir, strerror(errno));
	return fd;
}

int ctl_main(int argc, char **argv)
{
	struct buf line = { 0 }, answer = { 0 };
	char chunk[16384];
	ssize_t n;
	int fd, code;

	if (argc < 3) {
		fputs("usage: execwatch-lab ctl DIR COMMAND [ARGUMENT...]\n", stderr);
		return 64;
	}
	for (int i = 2; i < argc; i++) {
		buf_str(&line, i > 2 ? " " : "");
		pct_encode(&line, argv[i]);
	}
	buf_str(&line, "\n");
	fd = dial(argv[1]);
	if (send(fd, line.data, line.len, MSG_NOSIGNAL) != (ssize_t)line.len)
		lab_die("send: %s", strerror(errno));
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&answer, chunk, n);
	if (!answer.len)
		lab_die("the node went away");
	fwrite(answer.data, 1, answer.len, stdout);
	code = strncmp(answer.data, "{\"ok\":true", 10) ? 1 : 0;
	close(fd);
	buf_free(&line);
	buf_free(&answer);
	return code;
}

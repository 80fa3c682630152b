/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/http_get.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/now.h"
#include "mesos/http_framing.h"
#include "mesos/http_head.h"
#include "mesos/span.h"

/* Until fd is ready, at most until the time end. 0 or a negative errno. */
static int await(int fd, short events, int64_t end)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = (end - now_mono()) / NS_PER_MS;
		int n = poll(&pollfd, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int request_send(int fd, const char *host, const char *path, int64_t end)
{
	char text[2048];
	int len = snprintf(text, sizeof(text),
			   "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n"
			   "User-Agent: execwatch\r\nConnection: close\r\n\r\n",
			   path, host);
	ssize_t sent;
	int err;

	if (len < 0 || (size_t)len >= sizeof(text))
		return -ENAMETOOLONG;
	err = await(fd, POLLOUT, end);
	if (err < 0)
		return err;
	/* A fresh socket has room for it as a whole. */
	sent = send(fd, text, (size_t)len, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return sent == len ? 0 : -EPROTO;
}

static void take_head(struct mesos_span head, struct http_answer *answer)
{
	struct mesos_span location = http_head_value(head, "location");
	struct http_start start;

	if (http_start_parse(head, &start) == 0 && start.response)
		answer->status = start.status;
	if (location.len < sizeof(answer->location))
		mesos_span_copy(location, answer->location, sizeof(answer->location));
}

/* 1: the answer is complete; 0: go on. */
static int take_frame(const struct http_frame *frame, struct http_answer *answer)
{
	switch (frame->kind) {
	case HTTP_FRAME_HEAD:
		take_head(frame->head, answer);
		return 0;
	case HTTP_FRAME_END:
		if (frame->body_len > frame->body.len)
			return -EFBIG;
		answer->body = mesos_span_dup(frame->body);
		answer->len = frame->body.len;
		return answer->body ? 1 : -ENOMEM;
	case HTTP_FRAME_GARBAGE:
		return -EPROTO;
	default:
		return 0;
	}
}

static int take_bytes(struct http_framing *framing, const char *bytes, size_t len,
		      struct http_answer *answer)
{
	struct http_frame frame;
	size_t used = 0;
	int err;

	do {
		used += http_framing_feed(framing, bytes + used, len - used, &frame);
		err = take_frame(&frame, answer);
	} while (!err && frame.kind != HTTP_FRAME_MORE);
	return err;
}

static int answer_read(int fd, struct http_framing *framing, int64_t end,
		       struct http_answer *answer)
{
	char bytes[16 * 1024];
	struct http_frame frame;
	int err;

	for (;;) {
		ssize_t n;

		err = await(fd, POLLIN, end);
		if (err < 0)
			return err;
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		err = take_bytes(framing, bytes, (size_t)n, answer);
		if (err)
			return err < 0 ? err : 0;
	}
	http_framing_finish(framing, &frame);
	err = take_frame(&frame, answer);
	return err > 0 ? 0 : err < 0 ? err : -EPROTO;
}

int http_get(int fd, const char *host, const char *path, int timeout_ms,
	     struct http_answer *ret_answer, struct error *error)
{
	int64_t end = now_mono() + timeout_ms * NS_PER_MS;
	struct http_framing *framing = http_framing_new(HTTP_GET_BODY_MAX);
	struct http_answer answer = { 0 };
	int err = framing ? request_send(fd, host, path, end) : -ENOMEM;

	if (!err)
		err = answer_read(fd, framing, end, &answer);
	http_framing_free(framing);
	close(fd);
	if (err < 0) {
		free(answer.body);
		return error_set(error, err, NULL, "GET %s from %s", path, host);
	}
	*ret_answer = answer;
	return 0;
}

int http_unix_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if ((size_t)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path) >=
	    sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	err = -errno; /* -EAGAIN: its queue is full, it accepts nobody */
	close(fd);
	return err;
}

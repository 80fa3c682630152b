/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One bounded HTTP request, for sources that are asked in a child (bounded_emit.h): the master, the
 * docker daemon. Blocks; the agent's own API is asked by api.h, from an event loop.
 */
#ifndef EW_OBSERVE_AGENT_HTTP_GET_H
#define EW_OBSERVE_AGENT_HTTP_GET_H

#include <stddef.h>

struct error;

#define HTTP_GET_BODY_MAX (16 * 1024 * 1024)

struct http_answer {
	int status;
	char location[512]; /* that header; "": none, or too long */
	char *body;	    /* terminated; to be freed */
	size_t len;
};

/*
 * GET path over fd, a stream socket that is connected or connects (O_NONBLOCK); closes fd. Waits
 * for timeout_ms in all: -ETIMEDOUT. -EFBIG: the body is larger than HTTP_GET_BODY_MAX; -EPROTO: no
 * HTTP, or cut. Another negative errno: the connection failed.
 */
int http_get(int fd, const char *host, const char *path, int timeout_ms,
	     struct http_answer *ret_answer, struct error *error);

/* A connection to a domain socket, non-blocking; or a negative errno. */
int http_unix_socket(const char *path);

#endif

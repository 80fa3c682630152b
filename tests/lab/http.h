/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_HTTP_H
#define LAB_HTTP_H

#include "buf.h"

#include <stdbool.h>

/* One HTTP/1.1 request or response taken off a stream. */
struct http_msg {
	char *method; /* of a response: "HTTP/1.1" */
	char *target; /* of a response: the status, "200" */
	char *head;   /* start line and headers as they came */
	struct buf body;
};

/*
 * Takes a whole message off `in`. 1: done, free it with http_msg_free(); 0: more bytes
 * are needed; -1: not HTTP.
 */
int http_take(struct buf *in, struct http_msg *msg);

/* Only the head (a streaming response has no end). As http_take(). */
int http_take_head(struct buf *in, struct http_msg *msg);

/* One chunk of a chunked body. As http_take(); the last chunk is empty. */
int http_take_chunk(struct buf *in, struct buf *chunk);

/* The value of a header, or NULL. malloc'd. */
char *http_header(const struct http_msg *msg, const char *name);

void http_msg_free(struct http_msg *msg);

/* "Mon, 23 Nov 2026 18:50:53 GMT" of now. */
void http_date(struct buf *out);

/* A whole response, headers in the order of Mesos 1.12. type may be NULL: no Content-Type. */
void http_response(struct buf *out, const char *status, const char *type, const struct buf *body);

#endif

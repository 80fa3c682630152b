/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cuts one direction of an HTTP/1.1 connection into messages, however it was cut into segments:
 * libprocess messages, requests, responses, streams that never end (v1 SUBSCRIBE). Bodies by
 * Transfer-Encoding: chunked, by Content-Length, or (responses only) up to the end of the stream.
 *
 * Memory is bounded: a head of HTTP_FRAMING_HEAD_MAX bytes and as much of each body as was asked
 * for. After bytes that are no HTTP it looks for the next start of a message and goes on there.
 * A response to HEAD looks like any other: such connections are not for it.
 */
#ifndef EW_MESOS_HTTP_FRAMING_H
#define EW_MESOS_HTTP_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"

#define HTTP_FRAMING_HEAD_MAX 16384

enum http_frame_kind {
	HTTP_FRAME_MORE = 0, /* all bytes are used up, nothing new */
	HTTP_FRAME_HEAD,     /* start line and headers are complete: head */
	HTTP_FRAME_BODY,     /* a piece of the body, de-chunked: piece (in the bytes fed) */
	HTTP_FRAME_END,	     /* the message is complete: head, body, body_len */
	HTTP_FRAME_GARBAGE,  /* no HTTP, or not to its end: a message begun before is lost */
};

struct http_frame {
	enum http_frame_kind kind;
	struct mesos_span head; /* up to and with the empty line; valid until the next call */
	struct mesos_span body; /* its first body_max bytes; valid until the next call */
	uint64_t body_len;	/* of the whole body so far */
	struct mesos_span piece;
	size_t garbage; /* bytes dropped in this call, whatever its kind */
};

struct http_framing;

/* Keeps up to body_max bytes of each body. NULL: no memory. */
struct http_framing *http_framing_new(size_t body_max);
void http_framing_free(struct http_framing *framing); /* NULL is fine */

/*
 * Takes bytes up to the next thing to tell, fills *frame and returns how many were taken. Call
 * again with the rest until kind is HTTP_FRAME_MORE (which takes all). Can tell something without
 * taking a byte, but never twice in a row the same.
 */
size_t http_framing_feed(struct http_framing *framing, const void *bytes, size_t len,
			 struct http_frame *frame);

/*
 * The stream has ended. END where that completes a body, GARBAGE where it cuts a message (its head
 * or body are lost), otherwise MORE. The framing is then as new.
 */
void http_framing_finish(struct http_framing *framing, struct http_frame *frame);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/http_framing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/http_head.h"

#define START_MAX    4096 /* a start line */
#define SIZE_MAX_LEN 64	  /* a chunk's first line */

enum state {
	AT_START, /* between messages, or looking for one */
	IN_START, /* its first line */
	IN_HEADERS,
	IN_LENGTH,    /* body by Content-Length: left bytes to go */
	IN_STREAM,    /* body up to the end of the stream */
	AT_SIZE,      /* a chunk's first line */
	IN_CHUNK,     /* left bytes to go */
	AFTER_CHUNK,  /* its line end */
	AFTER_LAST,   /* the line end that ends the body; nobody here sends trailers */
	COMPLETE,     /* END is to be told */
	END_REPORTED, /* END was returned: head and body are freed by the next call */
};

struct http_framing {
	enum state state;
	uint64_t left;
	uint64_t body_len;
	size_t head_len;
	size_t line;	 /* where the current line of the head begins */
	uint16_t status; /* of a response; 0: a request */
	size_t size_len;
	size_t body_kept;
	size_t body_max;
	char size[SIZE_MAX_LEN];
	char head[HTTP_FRAMING_HEAD_MAX];
	char body[];
};

/* How every message begins that is understood here: to find one after garbage. */
static const char *const starts[] = { "POST /", "GET /",     "PUT /",  "DELETE /",
				      "HEAD /", "OPTIONS /", "HTTP/1." };

static const char hex_digits[] = "0123456789abcdefABCDEF";

static void reset(struct http_framing *f)
{
	f->state = AT_START;
	f->left = 0;
	f->body_len = 0;
	f->head_len = 0;
	f->line = 0;
	f->size_len = 0;
	f->body_kept = 0;
}

struct http_framing *http_framing_new(size_t body_max)
{
	struct http_framing *f = malloc(sizeof(*f) + body_max);

	if (!f)
		return NULL;
	reset(f);
	f->body_max = body_max;
	return f;
}

void http_framing_free(struct http_framing *framing)
{
	free(framing);
}

static struct mesos_span head_of(const struct http_framing *f)
{
	return mesos_span_at(f->head, f->head_len);
}

/* The message that was begun is lost. What was taken of its current line is dropped. */
static void broken(struct http_framing *f, struct http_frame *frame)
{
	frame->kind = HTTP_FRAME_GARBAGE;
	frame->garbage += f->size_len;
	reset(f);
}

/* How the head could go on as the beginning of a message: IN_START when that is certain. */
static bool start_begun(const char *text, size_t len, enum state *state)
{
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		size_t n = strlen(starts[i]);

		if (memcmp(text, starts[i], len < n ? len : n) == 0) {
			*state = len < n ? AT_START : IN_START;
			return true;
		}
	}
	return false;
}

/* Drops bytes from the front of the head, n at least, until it can be a beginning again. */
static void head_drop(struct http_framing *f, size_t n, struct http_frame *frame)
{
	f->state = AT_START;
	while (n < f->head_len && !start_begun(f->head + n, f->head_len - n, &f->state))
		n++;
	f->head_len -= n;
	memmove(f->head, f->head + n, f->head_len);
	frame->garbage += n;
}

static void start_take(struct http_framing *f, char c, struct http_frame *frame)
{
	if (f->head_len == 0 && (c == '\r' || c == '\n'))
		return; /* RFC 9112, 2.2: empty lines before a message are to be ignored */
	f->head[f->head_len++] = c;
	if (!start_begun(f->head, f->head_len, &f->state))
		head_drop(f, 1, frame);
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f;
}

static void start_line_take(struct http_framing *f, char c, struct http_frame *frame)
{
	struct http_start start;

	f->head[f->head_len++] = c;
	while (f->state == IN_START) {
		if (c != '\n' && !is_control(c) && f->head_len < START_MAX)
			return;
		if (c == '\n' && http_start_parse(head_of(f), &start) == 0) {
			f->line = f->head_len;
			f->status = start.status;
			f->state = IN_HEADERS;
			return;
		}
		head_drop(f, 1, frame);
	}
}

/* How the body ends, by RFC 9112, 6.3. False: by a length that is no number. */
static bool body_begin(struct http_framing *f)
{
	struct mesos_span length = http_head_value(head_of(f), "Content-Length");
	uint16_t status = f->status;

	if (status && (status < 200 || status == 204 || status == 304)) {
		f->state = COMPLETE;
	} else if (http_head_is(head_of(f), "Transfer-Encoding", "chunked")) {
		f->state = AT_SIZE;
	} else if (length.p) {
		if (!mesos_span_number(&length, UINT64_MAX, &f->left) || length.len)
			return false;
		f->state = f->left ? IN_LENGTH : COMPLETE;
	} else {
		f->state = status ? IN_STREAM : COMPLETE;
	}
	return true;
}

/* A line without ':' may be the start of another message: bytes are missing before it. */
static void header_end(struct http_framing *f, struct http_frame *frame)
{
	struct mesos_span line = mesos_span_at(f->head + f->line, f->head_len - f->line);
	struct http_start start;

	if (memchr(line.p, ':', line.len)) {
		f->line = f->head_len;
	} else if (mesos_span_is(line, "\r\n") || mesos_span_is(line, "\n")) {
		if (body_begin(f)) {
			frame->kind = HTTP_FRAME_HEAD;
			frame->head = head_of(f);
		} else {
			frame->garbage += f->head_len;
			broken(f, frame);
		}
	} else if (http_start_parse(line, &start) == 0) {
		frame->garbage += f->line;
		f->head_len = line.len;
		memmove(f->head, line.p, line.len);
		f->line = f->head_len;
		f->status = start.status;
	} else {
		frame->garbage += f->head_len;
		broken(f, frame);
	}
}

static void header_take(struct http_framing *f, char c, struct http_frame *frame)
{
	f->head[f->head_len++] = c;
	if (c == '\n') {
		header_end(f, frame);
	} else if (is_control(c) || f->head_len == sizeof(f->head)) {
		frame->garbage += f->head_len;
		broken(f, frame);
	}
}

/* A byte of a chunk's first line. False: it cannot be in one, and is not taken. */
static bool size_take(struct http_framing *f, char c, struct http_frame *frame)
{
	bool first = f->size_len == 0;

	if (f->size_len == sizeof(f->size) || (first && !memchr(hex_digits, c, 22))) {
		broken(f, frame);
		return false;
	}
	f->size[f->size_len++] = c;
	if (c != '\n')
		return true;
	if (!http_chunk_size(mesos_span_at(f->size, f->size_len), &f->left)) {
		broken(f, frame);
		return true;
	}
	f->size_len = 0;
	f->state = f->left ? IN_CHUNK : AFTER_LAST;
	return true;
}

/* A byte of the line end after a chunk. False: it is none, and is not taken. */
static bool line_end_take(struct http_framing *f, char c, struct http_frame *frame)
{
	if (c == '\n') {
		f->size_len = 0;
		f->state = f->state == AFTER_LAST ? COMPLETE : AT_SIZE;
	} else if (c == '\r' && f->size_len == 0) {
		f->size_len = 1;
	} else {
		broken(f, frame);
		return false;
	}
	return true;
}

static void body_keep(struct http_framing *f, struct mesos_span piece)
{
	size_t space = f->body_max - f->body_kept;
	size_t n = piece.len < space ? piece.len : space;

	memcpy(f->body + f->body_kept, piece.p, n);
	f->body_kept += n;
	f->body_len += piece.len;
}

static size_t body_take(struct http_framing *f, const char *bytes, size_t len,
			struct http_frame *frame)
{
	if (f->state != IN_STREAM && len > f->left)
		len = (size_t)f->left;
	frame->kind = HTTP_FRAME_BODY;
	frame->piece = mesos_span_at(bytes, len);
	body_keep(f, frame->piece);
	if (f->state == IN_STREAM)
		return len;
	f->left -= len;
	if (f->left == 0)
		f->state = f->state == IN_CHUNK ? AFTER_CHUNK : COMPLETE;
	return len;
}

/* len is not 0. */
static size_t take(struct http_framing *f, const char *bytes, size_t len, struct http_frame *frame)
{
	switch (f->state) {
	case AT_START:
		start_take(f, *bytes, frame);
		return 1;
	case IN_START:
		start_line_take(f, *bytes, frame);
		return 1;
	case IN_HEADERS:
		header_take(f, *bytes, frame);
		return 1;
	case AT_SIZE:
		return size_take(f, *bytes, frame);
	case AFTER_CHUNK:
	case AFTER_LAST:
		return line_end_take(f, *bytes, frame);
	default:
		return body_take(f, bytes, len, frame);
	}
}

static void end_tell(struct http_framing *f, struct http_frame *frame)
{
	frame->kind = HTTP_FRAME_END;
	frame->head = head_of(f);
	frame->body = mesos_span_at(f->body, f->body_kept);
	f->state = END_REPORTED;
}

size_t http_framing_feed(struct http_framing *framing, const void *bytes, size_t len,
			 struct http_frame *frame)
{
	size_t used = 0;

	memset(frame, 0, sizeof(*frame));
	if (framing->state == END_REPORTED)
		reset(framing);
	if (framing->state == COMPLETE)
		end_tell(framing, frame);
	while (used < len && frame->kind == HTTP_FRAME_MORE && framing->state != COMPLETE)
		used += take(framing, (const char *)bytes + used, len - used, frame);
	if (frame->kind == HTTP_FRAME_MORE && framing->state == COMPLETE)
		end_tell(framing, frame);
	if (frame->kind == HTTP_FRAME_MORE && frame->garbage)
		frame->kind = HTTP_FRAME_GARBAGE;
	frame->body_len = framing->body_len;
	return used;
}

void http_framing_finish(struct http_framing *framing, struct http_frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	if (framing->state == END_REPORTED)
		reset(framing);
	if (framing->state == IN_STREAM || framing->state == COMPLETE) {
		end_tell(framing, frame);
		frame->body_len = framing->body_len;
	} else if (framing->state != AT_START || framing->head_len) {
		if (framing->state <= IN_HEADERS)
			frame->garbage = framing->head_len;
		broken(framing, frame);
	}
}

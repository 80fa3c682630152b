/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/bounded_emit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bounded.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/factwire.h"

enum { IDLE_MS = 3000 };

/* What the child writes: a head and its bytes, for each fact and at last for the result. */
enum frame { FRAME_FACT, FRAME_RESULT /* a struct error */ };

struct head {
	uint32_t frame;
	uint32_t len; /* of the bytes that follow */
};

/* ---- the child ---- */

struct child {
	bounded_emitter emit;
	void *ctx;
	int out;
	struct factwire_writer writer;
	int err; /* of the first fact that could not be written */
};

static int write_all(int out, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(out, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int frame_write(int out, enum frame frame, const void *bytes, size_t len)
{
	struct head head = { frame, (uint32_t)len };
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)bytes, len } };
	ssize_t n;

	do
		n = writev(out, parts, 2);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(head)) /* no pipe takes less than PIPE_BUF bytes (pipe(7)) */
		return -EIO;
	n -= (ssize_t)sizeof(head);
	return write_all(out, (const char *)bytes + n, len - (size_t)n);
}

/* Each fact at once: what follows may hang, and nothing that was read is kept back. */
static void child_emit(void *ctx, const struct fact *fact)
{
	struct child *child = ctx;
	int err = factwire_write(&child->writer, fact);

	if (!err)
		err = frame_write(child->out, FRAME_FACT, child->writer.bytes, child->writer.len);
	if (err && !child->err)
		child->err = err;
}

static int child_work(void *ctx, int out)
{
	struct child *child = ctx;
	struct fact_sink sink = { .emit = child_emit, .ctx = child };
	struct error error = { 0 };

	child->out = out;
	error.code = child->emit(child->ctx, &sink, &error);
	if (child->err)
		return 1;
	return frame_write(out, FRAME_RESULT, &error, sizeof(error)) != 0;
}

/* ---- the caller ---- */

struct caller {
	const struct fact_sink *sink;
	struct factwire_reader reader;
	char *bytes; /* a frame that is not whole yet */
	size_t len, cap;
	bool has_result;
	struct error error;
};

static int take_frame(struct caller *caller, const struct head *head, const char *bytes)
{
	struct fact fact;
	int err;

	if (head->frame == FRAME_RESULT) {
		if (head->len != sizeof(caller->error))
			return -EBADMSG;
		memcpy(&caller->error, bytes, head->len);
		caller->has_result = true;
		return 0;
	}
	err = factwire_read(&caller->reader, bytes, head->len, &fact);
	if (!err)
		fact_emit(caller->sink, &fact);
	return err;
}

static int bytes_add(struct caller *caller, const char *part, size_t len)
{
	size_t cap = caller->cap ? caller->cap : 64 * 1024;
	char *larger;

	while (cap < caller->len + len)
		cap *= 2;
	if (cap != caller->cap) {
		larger = realloc(caller->bytes, cap);
		if (!larger)
			return -ENOMEM;
		caller->bytes = larger;
		caller->cap = cap;
	}
	memcpy(caller->bytes + caller->len, part, len);
	caller->len += len;
	return 0;
}

static int caller_got(void *ctx, const char *part, size_t len)
{
	struct caller *caller = ctx;
	int err = bytes_add(caller, part, len);
	struct head head;
	size_t at = 0;

	while (!err && caller->len - at >= sizeof(head)) {
		memcpy(&head, caller->bytes + at, sizeof(head));
		if (caller->len - at - sizeof(head) < head.len)
			break;
		err = take_frame(caller, &head, caller->bytes + at + sizeof(head));
		at += sizeof(head) + head.len;
	}
	if (err)
		return err;
	caller->len -= at;
	memmove(caller->bytes, caller->bytes + at, caller->len);
	return 0;
}

int bounded_emit_begin(struct bounded *child, bounded_emitter emit, void *ctx)
{
	struct child work = { .emit = emit, .ctx = ctx };

	return bounded_begin(child, child_work, &work);
}

int bounded_emit_end(struct bounded *child, int64_t until, const char *object,
		     const struct fact_sink *sink, struct error *error)
{
	struct caller caller = { .sink = sink };
	int err = bounded_end(child, IDLE_MS, until, caller_got, &caller);

	factwire_reader_clear(&caller.reader);
	free(caller.bytes);
	if (!err && caller.has_result) {
		if (error)
			*error = caller.error;
		return caller.error.code;
	}
	err = err ? err : -EIO;
	emit_unread(sink, 0, 0, err, "%s", object);
	return error_set(error, err, "see whether its file system answers", "read '%s'", object);
}

int bounded_emit(bounded_emitter emit, void *ctx, int64_t until, const char *object,
		 const struct fact_sink *sink, struct error *error)
{
	struct bounded child;
	int err = bounded_emit_begin(&child, emit, ctx);

	if (!err)
		return bounded_emit_end(&child, until, object, sink, error);
	emit_unread(sink, 0, 0, err, "%s", object);
	return error_set(error, err, NULL, "read '%s'", object);
}

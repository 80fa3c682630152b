/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Streams of HTTP messages, however they are cut. */
#include "mesos_data.h"

#include "mesos/http_framing.h"
#include "mesos/http_head.h"
#include "mesos/message.h"

/* What came out of a stream, as text: what must not depend on how it was cut. */
struct log {
	char text[1 << 16];
	size_t len;
	size_t garbage;
	size_t messages;
};

static void log_add(struct log *log, const char *tag, struct mesos_span bytes)
{
	int n = snprintf(log->text + log->len, sizeof(log->text) - log->len, "%s%zu:", tag,
			 bytes.len);

	log->len += (size_t)n;
	assert_true(log->len + bytes.len < sizeof(log->text));
	if (bytes.len)
		memcpy(log->text + log->len, bytes.p, bytes.len);
	log->len += bytes.len;
}

static void frame_add(struct log *log, const struct http_frame *frame)
{
	log->garbage += frame->garbage;
	if (frame->kind == HTTP_FRAME_HEAD)
		log_add(log, "H", frame->head);
	if (frame->kind == HTTP_FRAME_END) {
		log_add(log, "h", frame->head);
		log_add(log, "b", frame->body);
		log->len += (size_t)sprintf(log->text + log->len, "=%llu\n",
					    (unsigned long long)frame->body_len);
		log->messages++;
	}
}

/* A segment in a buffer of its own size, until all of it is used up. */
static void feed(struct http_framing *framing, const char *bytes, size_t len, struct log *log)
{
	struct mesos_span segment = data_copy(bytes, len);
	struct http_frame frame;
	size_t used = 0;
	size_t pieces = 0;

	do {
		used += http_framing_feed(framing, segment.p + used, len - used, &frame);
		assert_true(used <= len);
		assert_true(pieces++ < 4 * len + 8);
		frame_add(log, &frame);
	} while (frame.kind != HTTP_FRAME_MORE);
	assert_int_equal(used, len);
	data_free(segment);
}

static void finish(struct http_framing *framing, struct log *log)
{
	struct http_frame frame;

	http_framing_finish(framing, &frame);
	frame_add(log, &frame);
}

static struct log *run(struct mesos_span stream, size_t cut1, size_t cut2, size_t body_max)
{
	struct http_framing *framing = http_framing_new(body_max);
	struct log *log = calloc(1, sizeof(*log));

	assert_non_null(log);
	feed(framing, stream.p, cut1, log);
	feed(framing, stream.p + cut1, cut2 - cut1, log);
	feed(framing, stream.p + cut2, stream.len - cut2, log);
	finish(framing, log);
	http_framing_free(framing);
	http_framing_free(NULL);
	return log;
}

static void assert_same(const struct log *a, const struct log *b)
{
	assert_int_equal(a->garbage, b->garbage);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->text, b->text, a->len);
}

/* The whole at once, cut in two at every byte, and byte by byte. */
static void cut_everywhere(struct mesos_span stream)
{
	struct log *whole = run(stream, 0, 0, 4096);
	struct http_framing *framing = http_framing_new(4096);
	struct log *bytewise = calloc(1, sizeof(*bytewise));

	for (size_t i = 0; i < stream.len; i++) {
		struct log *cut = run(stream, i, (i + stream.len) / 2, 4096);

		assert_same(whole, cut);
		free(cut);
		feed(framing, stream.p + i, 1, bytewise);
	}
	finish(framing, bytewise);
	assert_same(whole, bytewise);
	http_framing_free(framing);
	free(bytewise);
	free(whole);
}

static void real_stream(const char *path, struct mesos_span stream)
{
	struct log *whole = run(stream, 0, 0, 4096);

	assert_int_equal(whole->garbage, 0);
	if (strstr(path, "5051-")) { /* an answer for each, or one that goes on */
		assert_true(whole->messages >= 1 || strstr(path, "v1-"));
	} else {
		assert_true(whole->messages >= 1);
	}
	free(whole);
	cut_everywhere(stream);
}

static void all_real(void **state)
{
	(void)state;
	data_each(DATA "streams/*", 43, real_stream);
}

static void real_messages_follow(void **state)
{
	static const enum mesos_message_kind kinds[] = { MESOS_REGISTERED, MESOS_RUN_TASK,
							 MESOS_STATUS_UPDATE_ACK,
							 MESOS_STATUS_UPDATE_ACK };
	struct mesos_span stream = data_read(DATA "streams/v0-register.52238-42593");
	struct http_framing *framing = http_framing_new(4096);
	struct http_frame frame;
	size_t used = 0;
	size_t n = 0;

	(void)state;
	do {
		struct mesos_message message;

		used += http_framing_feed(framing, stream.p + used, stream.len - used, &frame);
		if (frame.kind != HTTP_FRAME_END)
			continue;
		mesos_message_parse(frame.head.p, frame.head.len, &message);
		assert_int_equal(message.kind, kinds[n]);
		n++;
		assert_true(n < 2 || frame.body_len > 100);
	} while (frame.kind != HTTP_FRAME_MORE);
	assert_int_equal(n, 4);
	http_framing_free(framing);
	data_free(stream);
}

/* A v1 subscription: it comes in pieces, each an event with its length before it. */
static void real_subscription(void **state)
{
	struct mesos_span stream = data_read(DATA "streams/v1-subscribe.5051-35400");
	struct http_framing *framing = http_framing_new(0);
	static const char *const lengths[] = { "577\n", "177\n", "29\n", "29\n" };
	struct http_frame frame;
	size_t used = 0;
	size_t n = 0;

	(void)state;
	do {
		used += http_framing_feed(framing, stream.p + used, stream.len - used, &frame);
		if (frame.kind != HTTP_FRAME_BODY)
			continue;
		assert_true(n < 4);
		assert_true(mesos_span_take(&frame.piece, lengths[n]));
		assert_int_equal(frame.piece.len, strtoul(lengths[n], NULL, 10));
		n++;
	} while (frame.kind != HTTP_FRAME_MORE);
	assert_int_equal(n, 4);
	http_framing_free(framing);
	data_free(stream);
}

#define GET	"GET /a HTTP/1.1\r\n\r\n"
#define HEAD_OK "HTTP/1.1 200 OK\r\n"

static void streams(void **state)
{
	static const struct {
		const char *text;
		size_t messages, garbage;
	} rows[] = {
		{ "", 0, 0 },
		{ GET, 1, 0 },
		{ GET GET GET, 3, 0 },
		{ "\r\n" GET "\r\n\r\n" GET, 2, 0 },
		{ "GET /a HTTP/1.1\nHost:\n\n", 1, 0 },
		{ "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" GET, 2, 0 },
		{ "POST /a HTTP/1.1\r\ncontent-length:0\r\n\r\n" GET, 2, 0 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
		  "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n" GET,
		  2, 0 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"
		  "0\r\n\r\n" GET,
		  2, 0 },
		{ HEAD_OK "Content-Length: 2\r\n\r\nokHTTP/1.1 202 Accepted\r\n"
			  "Content-Length: 0\r\n\r\n",
		  2, 0 },
		{ HEAD_OK "\r\nall of this up to the end", 1, 0 },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" HEAD_OK
		  "Content-Length: 0\r\n\r\n",
		  3, 0 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "9\r\n123456789\r\nf\r\n0123456789abcde\r\n0\r\n\r\n" GET,
		  2, 0 },
		/* a chunk's first line without end: 64 bytes are enough */
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "3;"
		  "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
		  "y"
		  "yyy" GET,
		  1, 86 },
		/* cut at the end */
		{ "GET /a HT", 0, 9 },
		{ "GET /a HTTP/1.1\r\nHo", 0, 19 },
		{ "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", 0, 0 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", 0, 0 },
		/* no HTTP before a message, around it, in it */
		{ "garbage" GET, 1, 7 },
		{ "PPOST /a HTTP/1.1\r\n\r\n", 1, 1 },
		{ "POPOST /a HTTP/1.1\r\n\r\n", 1, 2 },
		{ "POST /xPOST /a HTTP/1.1\r\n\r\n", 1, 7 },
		{ "POST / x\nGET /b HTTP/1.1\r\n\r\n", 1, 9 },
		{ "POST /GET / HTTP/9.9\r\n" GET, 1, 22 },
		{ "POST /x\x01GET /y\x02" GET, 1, 15 },
		{ "\x16\x03\x01\x02\x05" GET, 1, 5 },
		{ "POST /a HTTP/1.1\r\nno colon\r\n" GET, 1, 28 },
		{ "POST /a HTTP/1.1\r\nA: b\r\n" GET, 1, 24 },
		{ "POST /a HTTP/1.1\r\nContent-Length: x\r\n\r\n" GET, 1, 39 },
		{ "POST /a HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n" GET, 1, 58 },
		{ "POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n" GET, 1, 40 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" GET, 1, 0 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3x\r\n" GET, 1, 4 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcGET" GET, 1, 3 },
		{ "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "11111111111111111\r\n" GET,
		  1, 19 },
		{ "POST /a HTTP/1.1\r\nA\x01: b\r\n\r\n" GET, 1, 23 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span stream = mesos_span_of(rows[i].text);
		struct log *log = run(stream, 0, 0, 4096);

		if (log->messages != rows[i].messages || log->garbage != rows[i].garbage)
			fail_msg("row %zu '%s': %zu messages, %zu bytes of garbage", i,
				 rows[i].text, log->messages, log->garbage);
		free(log);
		cut_everywhere(stream);
	}
}

static void bodies(void **state)
{
	struct mesos_span stream = mesos_span_of("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked"
						 "\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
	struct log *log = run(stream, 60, 62, 4096);

	(void)state;
	assert_non_null(strstr(log->text, "b11:hello world=11\n"));
	free(log);
	log = run(stream, 0, 0, 7); /* keeps seven, counts all */
	assert_non_null(strstr(log->text, "b7:hello w=11\n"));
	free(log);
	log = run(stream, 0, 0, 0);
	assert_non_null(strstr(log->text, "b0:=11\n"));
	free(log);
}

/* A head without end is given up, and the message after it found. */
static void endless_heads(void **state)
{
	static char text[3 * HTTP_FRAMING_HEAD_MAX];
	struct mesos_span stream;
	struct log *log;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "POST /", 6);
	memcpy(text + sizeof(text) - sizeof(GET), GET, sizeof(GET));
	stream = mesos_span_of(text);
	log = run(stream, 0, 0, 16);
	assert_int_equal(log->messages, 1);
	assert_int_equal(log->garbage, stream.len - strlen(GET));
	free(log);

	memset(text, 'a', sizeof(text));
	memcpy(text, "POST / HTTP/1.1\r\nLong: ", 23);
	memcpy(text + sizeof(text) - sizeof(GET), GET, sizeof(GET));
	log = run(stream, 100, 200, 16);
	assert_int_equal(log->messages, 1);
	assert_int_equal(log->garbage, stream.len - strlen(GET));
	free(log);
}

/* After any single byte of a real stream was lost, at most two of its messages are. */
static void lost_byte(void **state)
{
	struct mesos_span stream = data_read(DATA "streams/v0-register.52238-42593");
	char *copy = malloc(stream.len);

	(void)state;
	for (size_t i = 0; i < stream.len; i++) {
		struct log *log;

		memcpy(copy, stream.p, i);
		memcpy(copy + i, stream.p + i + 1, stream.len - i - 1);
		log = run(mesos_span_at(copy, stream.len - 1), 0, 0, 4096);
		assert_in_range(log->messages, 2, 4);
		free(log);
	}
	free(copy);
	data_free(stream);
}

static void head_values(void **state)
{
	struct mesos_span head = mesos_span_of("POST / HTTP/1.1\r\nA:  b c \r\nAB: 1\r\nHost: \r\n"
					       "Cut: of");

	(void)state;
	assert_span(http_head_value(head, "a"), "b c");
	assert_span(http_head_value(head, "ab"), "1");
	assert_span(http_head_value(head, "Host"), "");
	assert_span(http_head_value(head, "Cut"), NULL);
	assert_span(http_head_value(head, "B"), NULL);
	assert_true(http_head_is(head, "A", "B C"));
	assert_false(http_head_is(head, "A", "B"));
	assert_false(http_head_is(head, "X", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_real),
		cmocka_unit_test(real_messages_follow),
		cmocka_unit_test(real_subscription),
		cmocka_unit_test(streams),
		cmocka_unit_test(bodies),
		cmocka_unit_test(endless_heads),
		cmocka_unit_test(lost_byte),
		cmocka_unit_test(head_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The message that stops an executor's clock: as a real agent's, but for what its head is to say.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mesos/message.h"
#include "mesos/protobuf.h"
#include "mesos/reregistered.h"
#include "mesos_data.h"

#define SID "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0"

static const struct mesos_reregistered sample = { .agent = "slave(1)@127.0.0.1:5051",
						  .id = "executor(1)",
						  .slave_id = SID,
						  .hostname = "node-17",
						  .port = 5051 };

static struct mesos_span body_of(const char *bytes, size_t len)
{
	const char *blank = memmem(bytes, len, "\r\n\r\n", 4), *end;
	size_t size;

	assert_non_null(blank);
	size = strtoul(blank + 4, (char **)&end, 16);
	assert_memory_equal(end, "\r\n", 2);
	assert_memory_equal(end + 2 + size, "\r\n0\r\n\r\n", 7);
	assert_ptr_equal(end + 2 + size + 7, bytes + len);
	return mesos_span_at(end + 2, size);
}

static void as_a_parser_reads_it(void **state)
{
	char buf[MESOS_REREGISTERED_MAX];
	size_t len = mesos_reregistered(&sample, buf);
	struct mesos_message message;
	struct mesos_span body, info;

	(void)state;
	assert_true(len > 0);
	mesos_message_parse(buf, len, &message);
	assert_int_equal(message.kind, MESOS_REREGISTERED);
	assert_true(mesos_span_is(message.to, "executor(1)"));
	assert_true(message.has_from);
	assert_true(mesos_span_is(message.from_text, "slave(1)@127.0.0.1:5051"));
	assert_true(mesos_span_is(message.slave_id, SID));
	body = body_of(buf, len);
	assert_int_equal(protobuf_check(body), 0);
	assert_true(mesos_span_is(protobuf_id(body, 1), SID));
	info = protobuf_bytes(body, 2);
	assert_int_equal(protobuf_check(info), 0);
	assert_true(mesos_span_is(protobuf_bytes(info, 1), "node-17"));
	assert_true(mesos_span_is(protobuf_id(info, 6), SID));
	assert_int_equal(protobuf_varint(info, 8, 0), 5051);
	/* A libprocess before 1.4 does not answer one that calls itself libprocess there. */
	assert_null(memmem(buf, len, "User-Agent", 10));
}

/* ---- the bytes of a real agent (1.12) ---- */

static const char *varint_end(const char *at)
{
	while (*at & 0x80)
		at++;
	return at + 1;
}

/* The end of the field at: a number, or bytes. */
static const char *field_end(const char *at)
{
	const char *value = varint_end(at);

	if ((*at & 7) == 0)
		return varint_end(value);
	assert_int_equal(*at & 7, 2);
	return (*value & 0x80) ? value + 2 + ((value[0] & 0x7f) | value[1] << 7)
			       : value + 1 + *value;
}

/* The fields of a SlaveInfo but for its resources. Returns their length. */
static size_t info_without_resources(struct mesos_span info, char *to)
{
	size_t len = 0;

	for (const char *at = info.p, *end; at < info.p + info.len; at = end) {
		end = field_end(at);
		if (*at >> 3 == 3)
			continue;
		memcpy(to + len, at, (size_t)(end - at));
		len += (size_t)(end - at);
	}
	return len;
}

/* Copies the lines of a head, without User-Agent, and with an empty Host as before 1.12. */
static size_t head_without_agent(const char *head, const char *end, char *to)
{
	size_t len = 0;

	for (const char *line = head, *next; line < end; line = next) {
		next = strstr(line, "\r\n") + 2;
		if (strncmp(line, "User-Agent: ", 12) == 0)
			continue;
		if (strncmp(line, "Host: ", 6) == 0) {
			len += (size_t)sprintf(to + len, "Host: \r\n");
			continue;
		}
		memcpy(to + len, line, (size_t)(next - line));
		len += (size_t)(next - line);
	}
	return len;
}

/*
 * Byte for byte, but for what is left out on purpose: the line by which a libprocess before 1.4
 * knows its like and does not answer, the receiver's address in Host, and the agent's resources.
 */
static void byte_for_byte_as_a_real_agent(void **state)
{
	struct mesos_span real = data_read(DATA "streams/v0-reregister.32896-42593"), body, info;
	struct mesos_reregistered same = sample;
	char buf[MESOS_REREGISTERED_MAX], want[MESOS_REREGISTERED_MAX], parts[512];
	size_t len, want_len, info_len;
	const char *blank;

	(void)state;
	same.hostname = "127.0.0.1";
	len = mesos_reregistered(&same, buf);
	blank = memmem(real.p, real.len, "\r\n\r\n", 4);
	body = body_of(real.p, real.len);
	info = protobuf_bytes(body, 2);
	info_len = info_without_resources(info, parts);
	assert_in_range(info_len, 1, 127); /* one byte of length */

	want_len = head_without_agent(real.p, blank, want);
	want_len += (size_t)sprintf(want + want_len, "\r\n%zx\r\n", 2 + 0x29 + 2 + info_len);
	memcpy(want + want_len, body.p, 2 + 0x29); /* the agent's id */
	want_len += 2 + 0x29;
	want[want_len++] = 0x12;
	want[want_len++] = (char)info_len;
	memcpy(want + want_len, parts, info_len);
	want_len += info_len;
	memcpy(want + want_len, "\r\n0\r\n\r\n", 7);
	want_len += 7;
	assert_int_equal(len, want_len);
	assert_memory_equal(buf, want, len);
	data_free(real);
}

/* The same start line, sender and agent id as in a message that a real agent (1.12) sent. */
static void as_a_real_agent_sends_it(void **state)
{
	struct mesos_span real = data_read(DATA "streams/v0-reregister.32896-42593");
	char buf[MESOS_REREGISTERED_MAX];
	size_t len = mesos_reregistered(&sample, buf), line;
	struct mesos_message message;

	(void)state;
	line = (size_t)((const char *)memchr(real.p, '\r', real.len) - real.p);
	assert_memory_equal(buf, real.p, line);
	mesos_message_parse(real.p, real.len, &message);
	assert_true(mesos_span_is(message.slave_id, SID));
	assert_true(mesos_span_is(message.from_text, sample.agent));
	assert_true(len > line);
	data_free(real);
}

static void what_it_does_not_take(void **state)
{
	char buf[MESOS_REREGISTERED_MAX], text[700];
	struct mesos_reregistered m;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
#define REFUSED(member, value)                                                                     \
	do {                                                                                       \
		m = sample;                                                                        \
		m.member = value;                                                                  \
		assert_int_equal(mesos_reregistered(&m, buf), 0);                                  \
	} while (0)
	REFUSED(agent, "");
	REFUSED(agent, "slave(1)@1.2.3.4:5\r\nX: y");
	REFUSED(id, "");
	REFUSED(id, "a/b");
	REFUSED(id, "a b");
	REFUSED(id, "a?b");
	REFUSED(slave_id, "");
	REFUSED(slave_id, text);
	REFUSED(hostname, "");
	REFUSED(hostname, text);
	REFUSED(hostname, "two words");
	REFUSED(port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_parser_reads_it),
		cmocka_unit_test(as_a_real_agent_sends_it),
		cmocka_unit_test(byte_for_byte_as_a_real_agent),
		cmocka_unit_test(what_it_does_not_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

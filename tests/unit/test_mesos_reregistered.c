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
		cmocka_unit_test(what_it_does_not_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

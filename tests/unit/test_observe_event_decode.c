/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Batches of records: emitted in order of time, however many, and stored without unused bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "events.h"
#include "facts.h"
#include "observe/bpf/event_batch.h"

#define MANY  20000 /* more than one block of memory holds */
#define SLICE 1000

struct seen {
	struct event_batch *batch;
	size_t n, slices;
	int64_t last;
	bool adds; /* one more record for each fact */
	char executor_id[32];
};

static struct ew_fork birth(uint32_t pid, uint64_t time)
{
	return (struct ew_fork){
		.header = { .type = EW_FORK, .size = sizeof(struct ew_fork), .ktime_ns = time },
		.child.tgid = pid
	};
}

static void add_birth(struct event_batch *batch, uint32_t pid, uint64_t time)
{
	struct ew_fork record = birth(pid, time);

	assert_int_equal(event_batch_add(batch, &record, sizeof(record)), 0);
}

static void note(void *ctx, const struct fact *fact)
{
	struct seen *seen = ctx;

	assert_true(fact->mono >= seen->last);
	if (fact->type == FACT_FORK)
		assert_int_equal(fact->fork.pid, fact->mono);
	else
		strcpy(seen->executor_id, fact->message.executor_id);
	seen->last = fact->mono;
	seen->n++;
	if (seen->adds)
		add_birth(seen->batch, (uint32_t)seen->n, seen->n);
}

static void put(struct seen *seen)
{
	struct fact_sink sink = { note, seen };

	seen->n = 0;
	seen->slices = 0;
	seen->last = 0;
	while (event_batch_emit(seen->batch, SLICE, &sink))
		seen->slices++;
}

/* The second half is earlier than the first, as records of another ring are. */
static void test_many_are_emitted_in_order_of_time(void **state)
{
	struct seen seen = { .batch = event_batch_new() };

	(void)state;
	for (uint32_t i = MANY / 2; i < MANY; i++)
		add_birth(seen.batch, i, i);
	for (uint32_t i = 1; i < MANY / 2; i++)
		add_birth(seen.batch, i, i);
	put(&seen);
	assert_int_equal(seen.n, MANY - 1);
	assert_int_equal(seen.slices, MANY / SLICE - 1);
	assert_int_equal(event_batch_size(seen.batch), 0);
	event_batch_free(seen.batch);
}

static void test_what_comes_meanwhile_waits_for_the_next_time(void **state)
{
	struct seen seen = { .batch = event_batch_new(), .adds = true };

	(void)state;
	for (uint32_t i = 1; i <= MANY; i++)
		add_birth(seen.batch, i, i);
	put(&seen);
	assert_int_equal(seen.n, MANY);
	seen.adds = false;
	put(&seen);
	assert_int_equal(seen.n, MANY);
	put(&seen);
	assert_int_equal(seen.n, 0);
	event_batch_free(seen.batch);
}

static struct ew_message registration(void)
{
	static const char text[] =
		"POST /slave(1)/mesos.internal.RegisterExecutorMessage HTTP/1.1\r\n"
		"Libprocess-From: executor(1)@10.0.0.1:40001\r\nContent-Length: 10\r\n\r\n"
		"\n\3\n\1f\22\3\n\1e";
	struct ew_message message = { .header = { .type = EW_MESSAGE,
						  .size = sizeof(struct ew_message) },
				      .len = sizeof(text) - 1 };

	memcpy(message.bytes, text, message.len);
	return message;
}

/* Only the used bytes of a message are stored. */
static void test_only_used_bytes_of_a_message_are_stored(void **state)
{
	struct seen seen = { .batch = event_batch_new() };
	struct ew_message message = registration();

	(void)state;
	assert_int_equal(event_batch_add(seen.batch, &message, sizeof(message)), 0);
	assert_true(event_batch_size(seen.batch) < sizeof(message) / 2);
	add_birth(seen.batch, 7, 7);
	put(&seen);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.executor_id, "e");
	event_batch_free(seen.batch);
}

static void test_invalid_records_are_refused(void **state)
{
	struct event_batch *batch = event_batch_new();
	struct ew_message message = registration();
	struct ew_fork fork = birth(1, 1);

	(void)state;
	assert_int_equal(event_batch_add(batch, &fork, sizeof(fork) - 8), -EBADMSG);
	assert_int_equal(event_batch_add(batch, &fork, 8), -EBADMSG);
	fork.header.type = 99;
	assert_int_equal(event_batch_add(batch, &fork, sizeof(fork)), -EBADMSG);
	message.len = EW_MESSAGE_MAX + 1;
	assert_int_equal(event_batch_add(batch, &message, sizeof(message)), -EBADMSG);
	assert_int_equal(event_batch_size(batch), 0);
	event_batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_are_emitted_in_order_of_time),
		cmocka_unit_test(test_what_comes_meanwhile_waits_for_the_next_time),
		cmocka_unit_test(test_only_used_bytes_of_a_message_are_stored),
		cmocka_unit_test(test_invalid_records_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

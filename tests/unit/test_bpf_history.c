/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records outlive their reader, as many as fit; the rest is counted. */
#include "test_bpf_fixture.h"

#include "events.h"
#include "observe/bpf/history.h"
#include "observe/bpf/pins.h"
#include "observe/bpf/event_batch.h"

static char dir[] = "/tmp/ew-test-history-XXXXXX";
static struct ew_bpf_history *history;
static struct event_batch *batch;

/* As the next execwatch does. */
static void reopen(void)
{
	ew_bpf_history_close(history);
	event_batch_free(batch);
	batch = event_batch_new();
	assert_int_equal(ew_bpf_history_open(dir, batch, &history, NULL), 0);
}

static struct ew_fork birth(uint32_t number)
{
	return (struct ew_fork){
		.header = { .type = EW_FORK,
			    .size = sizeof(struct ew_fork),
			    .seq = number,
			    .ktime_ns = 10 * number },
		.child.tgid = number,
	};
}

static bool store(uint32_t number, uint64_t lost_before)
{
	struct ew_counters counted = { .life_lost = lost_before };
	struct ew_fork record = birth(number);

	return ew_bpf_history_store(history, &record.header, &counted);
}

static size_t stored(void)
{
	size_t n = 0;

	while (event_batch_at(batch, n))
		n++;
	return n;
}

static uint32_t number_at(size_t i)
{
	return ((const struct ew_fork *)event_batch_at(batch, i))->child.tgid;
}

static void test_empty_at_first(void **state)
{
	(void)state;
	assert_int_equal(stored(), 0);
	reopen();
	assert_int_equal(stored(), 0);
	assert_int_equal(ew_bpf_history_begin(history).dropped, 0);
}

static void test_all_records_come_back_in_order(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 5000; i++) /* some chunks */
		assert_true(store(i, 0));
	for (int times = 0; times < 2; times++) {
		reopen();
		assert_int_equal(stored(), 5000);
		for (uint32_t i = 0; i < 5000; i++)
			assert_int_equal(number_at(i), i + 1);
		assert_int_equal(ew_bpf_history_begin(history).dropped, 0);
	}
}

/* A reader killed between storing a record and releasing it in the ring: the record comes again. */
static void test_a_record_is_stored_once(void **state)
{
	(void)state;
	store(1, 0);
	store(2, 0);
	reopen();
	assert_true(store(3, 0)); /* from the other ring */
	assert_false(store(2, 0));
	assert_true(store(4, 0));
	reopen();
	assert_int_equal(stored(), 4);
}

static void test_the_oldest_are_dropped_and_counted(void **state)
{
	enum { MANY = 200000 };
	struct ew_bpf_history_begin begin;
	size_t n;

	(void)state;
	for (uint32_t i = 1; i <= MANY; i++)
		store(i, i - 1); /* one more event was lost before each record */
	reopen();
	n = stored();
	begin = ew_bpf_history_begin(history);
	assert_in_range(n, 50000, MANY - 1);
	assert_int_equal(n + begin.dropped, MANY);
	assert_int_equal(number_at(0), begin.dropped + 1);
	assert_int_equal(number_at(n - 1), MANY);
	assert_int_equal(begin.unknown_until, 10 * (begin.dropped + 1) - 1);
	assert_int_equal(begin.counted.life_lost, begin.dropped);
}

static void test_number_of_selftest_records_is_stored(void **state)
{
	(void)state;
	ew_bpf_history_set_selftests(history, 7);
	for (uint32_t i = 1; i <= 5000; i++)
		store(i, 0);
	reopen();
	assert_int_equal(ew_bpf_history_selftests(history), 7);
}

static int setup(void **state)
{
	(void)state;
	if (ew_bpf_pins_mount(dir, NULL) < 0)
		return -1;
	reopen();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ew_bpf_history_close(history);
	history = NULL;
	event_batch_free(batch);
	batch = NULL;
	ew_bpf_pins_remove_all(dir);
	return umount2(dir, MNT_DETACH);
}

static int group_setup(void **state)
{
	(void)state;
	return fixture_dir_new(dir);
}

static int group_teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty_at_first),
		TEST(test_all_records_come_back_in_order),
		TEST(test_a_record_is_stored_once),
		TEST(test_the_oldest_are_dropped_and_counted),
		TEST(test_number_of_selftest_records_is_stored),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

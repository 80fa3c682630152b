/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Durations, addresses and the spans that carry them. */
#include "mesos_data.h"

#include <errno.h>

#include "base/addr.h"
#include "mesos/duration.h"
#include "mesos/upid.h"

static void duration_grammar(void **state)
{
	static const struct {
		const char *text;
		int err;
		int64_t ns;
	} rows[] = {
		{ "15mins", 0, 900000000000LL },
		{ "2secs", 0, 2000000000LL },
		{ "24hrs", 0, 86400000000000LL },
		{ "1days", 0, 86400000000000LL },
		{ "1weeks", 0, 604800000000000LL },
		{ "1.5hrs", 0, 5400000000000LL },
		{ "500ms", 0, 500000000LL },
		{ "7us", 0, 7000LL },
		{ "0ns", 0, 0 },
		{ "007secs", 0, 7000000000LL },
		{ ".5secs", 0, 500000000LL },
		{ "5.secs", 0, 5000000000LL },
		{ "0.1secs", 0, 100000000LL },
		{ "1.000000001secs", 0, 1000000001LL },
		{ "1.0000000019secs", 0, 1000000001LL },
		{ "0.333333333333333weeks", 0, 201599999999999LL },
		{ "0.99999999999999999999999999secs", 0, 999999999LL },
		{ "9223372036854775807ns", 0, INT64_MAX },
		{ "9223372036854775808ns", -ERANGE, 0 },
		{ "99999999999999999999999ns", -ERANGE, 0 },
		{ "15251weeks", -ERANGE, 0 },
		{ "15250weeks", 0, 9223200000000000000LL },
		{ "9223372036.9secs", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "15", -EINVAL, 0 },
		{ "mins", -EINVAL, 0 },
		{ ".secs", -EINVAL, 0 },
		{ "1.2.3secs", -EINVAL, 0 },
		{ "-1secs", -EINVAL, 0 },
		{ "+1secs", -EINVAL, 0 },
		{ " 1secs", -EINVAL, 0 },
		{ "1 secs", -EINVAL, 0 },
		{ "1secs ", -EINVAL, 0 },
		{ "1SECS", -EINVAL, 0 },
		{ "1sec", -EINVAL, 0 },
		{ "1min", -EINVAL, 0 },
		{ "1e3secs", -EINVAL, 0 },
		{ "1,5hrs", -EINVAL, 0 },
		{ "1hrs30mins", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span text = data_copy(rows[i].text, strlen(rows[i].text));
		int64_t ns = -42;
		int err = mesos_duration_parse(text, &ns);

		if (err != rows[i].err || ns != (err ? -42 : rows[i].ns))
			fail_msg("'%s': %d, %lld", rows[i].text, err, (long long)ns);
		data_free(text);
	}
	assert_int_equal(mesos_duration_parse(mesos_span_of(NULL), &(int64_t){ 0 }), -EINVAL);
}

static void upids(void **state)
{
	static const struct {
		const char *text;
		const char *id; /* NULL: to be refused */
		const char *addr;
	} rows[] = {
		{ "executor(1)@10.0.0.7:41234", "executor(1)", "10.0.0.7:41234" },
		{ "slave(1)@127.0.0.1:5051", "slave(1)", "127.0.0.1:5051" },
		{ "slave(1)@[fe80::1]:5051", "slave(1)", "[fe80::1]:5051" },
		{ "@0.0.0.0:0", "", "0.0.0.0:0" },
		{ "a@b@10.0.0.1:1", "a@b", "10.0.0.1:1" },
		{ "x@10.0.0.1:65535", "x", "10.0.0.1:65535" },
		{ "x@[::ffff:10.0.0.1]:80", "x", "10.0.0.1:80" },
		{ "x@10.0.0.1:65536", NULL, NULL },
		{ "x@10.0.0.1:", NULL, NULL },
		{ "x@10.0.0.1", NULL, NULL },
		{ "x@10.0.0:80", NULL, NULL },
		{ "x@010.0.0.1:80x", NULL, NULL },
		{ "x@10.0.0.1: 80", NULL, NULL },
		{ "x@10.0.0.1:-80", NULL, NULL },
		{ "x@fe80::1:80", NULL, NULL },
		{ "x@[fe80::1%eth0]:80", NULL, NULL },
		{ "x@[fe80::1]", NULL, NULL },
		{ "x@agent.example:5051", NULL, NULL },
		{ "10.0.0.1:5051", NULL, NULL },
		{ "x@", NULL, NULL },
		{ "", NULL, NULL },
		{ "x@1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:80", NULL,
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span text = data_copy(rows[i].text, strlen(rows[i].text));
		struct mesos_upid upid = { .addr.port = 7 };
		char buf[ADDR_TEXT_MAX];
		int err = mesos_upid_parse(text, &upid);

		if (err != (rows[i].id ? 0 : -EINVAL))
			fail_msg("'%s': %d", rows[i].text, err);
		if (err < 0) {
			assert_int_equal(upid.addr.port, 7);
		} else {
			assert_span(upid.id, rows[i].id);
			assert_string_equal(addr_text(&upid.addr, buf), rows[i].addr);
		}
		data_free(text);
	}
}

static void endpoint_with_nul(void **state)
{
	struct ew_addr addr;

	(void)state;
	assert_int_equal(mesos_endpoint_parse(mesos_span_at("10.0.0.1:80\0"
							    "9",
							    13),
					      &addr),
			 -EINVAL);
	assert_int_equal(mesos_endpoint_parse(mesos_span_of(NULL), &addr), -EINVAL);
	assert_int_equal(mesos_endpoint_parse(mesos_span_of("10.0.0.1:80"), &addr), 0);
}

static void span_numbers(void **state)
{
	struct mesos_span span = mesos_span_of("0012x");
	uint64_t value;

	(void)state;
	assert_true(mesos_span_number(&span, 12, &value));
	assert_int_equal(value, 12);
	assert_span(span, "x");
	assert_false(mesos_span_number(&span, 12, &value));
	span = mesos_span_of("13");
	assert_false(mesos_span_number(&span, 12, &value));
	assert_span(span, "13");
	span = mesos_span_of("18446744073709551615");
	assert_true(mesos_span_number(&span, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	span = mesos_span_of("18446744073709551616");
	assert_false(mesos_span_number(&span, UINT64_MAX, &value));
	span = mesos_span_of("5");
	assert_true(mesos_span_number(&span, 5, &value));
	span = mesos_span_of("9");
	assert_false(mesos_span_number(&span, 5, &value));
}

static void span_copies(void **state)
{
	char buf[4];
	char *copy = mesos_span_dup(mesos_span_of("abcdef"));

	(void)state;
	assert_string_equal(copy, "abcdef");
	free(copy);
	assert_null(mesos_span_dup(mesos_span_of(NULL)));
	assert_string_equal(mesos_span_copy(mesos_span_of("abcdef"), buf, sizeof(buf)), "abc");
	assert_string_equal(mesos_span_copy(mesos_span_of("abcd"), buf, sizeof(buf)), "abc");
	assert_string_equal(mesos_span_copy(mesos_span_of(NULL), buf, sizeof(buf)), "");
	assert_false(mesos_span_is(mesos_span_of(NULL), ""));
	assert_true(mesos_span_is(mesos_span_of(NULL), NULL));
	assert_span(mesos_span_last(mesos_span_of("a/b/c"), '/'), "c");
	assert_span(mesos_span_last(mesos_span_of("abc"), '/'), "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_grammar),  cmocka_unit_test(upids),
		cmocka_unit_test(endpoint_with_nul), cmocka_unit_test(span_numbers),
		cmocka_unit_test(span_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Durations and times as an operator reads them; names measured and cut without being trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "show/term_text.h"
#include "show/units.h"

#define S	     INT64_C(1000000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *words;
	} cases[] = {
		{ INT64_MIN, "-" },
		{ -1, "-" },
		{ 0, "0 s" },
		{ 999999999, "0 s" },
		{ 59 * S, "59 s" },
		{ 60 * S, "1:00" },
		{ 751 * S, "12:31" },
		{ 3599 * S, "59:59" },
		{ 3600 * S, "1 h 0 m" },
		{ 86399 * S, "23 h 59 m" },
		{ 86400 * S, "1 d 0 h" },
		{ 76 * 3600 * S, "3 d 4 h" },
		{ INT64_MAX, "106751 d 23 h" },
	};
	char buf[UNITS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(units_duration(cases[i].ns, buf), cases[i].words);
	assert_string_equal(units_instant(-1, buf), "-");
	assert_string_equal(units_instant(85999, buf), "85 us");
	assert_string_equal(units_instant(1234567, buf), "1.2 ms");
	assert_string_equal(units_instant(2500000000, buf), "2.5 s");
	assert_string_equal(units_instant(INT64_MIN, buf), "-");
	assert_string_equal(units_instant(INT64_MAX, buf), "9223372036.9 s");
}

static void test_times(void **state)
{
	int64_t now = INT64_C(1795503026) * S + 999999999;
	char buf[UNITS_MAX];

	(void)state;
	assert_string_equal(units_time(now, buf), "2026-11-24 06:50:26 UTC");
	assert_string_equal(units_clock(now, buf), "06:50:26Z");
	assert_string_equal(units_until(now + 751 * S, now, buf), "in 12:31");
	assert_string_equal(units_until(now, now, buf), "now");
	assert_string_equal(units_until(now - 1, now, buf), "now"); /* not "0 s ago" */
	assert_string_equal(units_until(now + S - 1, now, buf), "now");
	assert_string_equal(units_until(now + S, now, buf), "in 1 s");
	assert_string_equal(units_until(now - S, now, buf), "1 s ago");
	assert_string_equal(units_until(INT64_MAX, INT64_MIN, buf), "in 106751 d 23 h");
	assert_string_equal(units_until(INT64_MIN, INT64_MAX, buf), "106751 d 23 h ago");
	assert_string_equal(units_until(INT64_MIN, 0, buf), "106751 d 23 h ago");
	assert_string_equal(units_until(0, INT64_MIN, buf), "in 106751 d 23 h");
	assert_string_equal(units_time(INT64_MIN, buf), "1677-09-21 00:12:43 UTC");
	assert_string_equal(units_time(INT64_MAX, buf), "2262-04-11 23:47:16 UTC");
	assert_string_equal(units_clock(-1, buf), "23:59:59Z");
	assert_string_equal(units_until(now - 61 * S, now, buf), "1:01 ago");
}

static void test_states(void **state)
{
	char buf[UNITS_MAX];

	(void)state;
	assert_string_equal(units_status(0, buf), "exit code 0");
	assert_string_equal(units_status(255 << 8, buf), "exit code 255");
	assert_string_equal(units_status(9, buf), "signal 9");
	assert_string_equal(units_status(128 + 11, buf), "signal 11"); /* with a core */
	assert_string_equal(units_status(-1, buf), "unknown status");
	assert_string_equal(units_tcp_state(1), "ESTABLISHED");
	assert_string_equal(units_tcp_state(8), "CLOSE_WAIT");
	assert_string_equal(units_tcp_state(12), "NEW_SYN_RECV");
	assert_string_equal(units_tcp_state(13), "UNKNOWN");
}

static char *drawn(const char *text, int width, bool right)
{
	char *buf = NULL;
	size_t len;
	FILE *out = open_memstream(&buf, &len);

	term_text_put(out, text, width, right);
	fclose(out);
	return buf;
}

static void test_cells(void **state)
{
	static const struct {
		const char *text;
		int width;
		bool right;
		const char *drawn;
	} cases[] = {
		{ "", 3, false, "   " },
		{ "ab", 4, false, "ab  " },
		{ "ab", 4, true, "  ab" },
		{ "abcd", 4, false, "abcd" },
		{ "abcde", 4, false, "abc…" },
		{ "caf\xc3\xa9", 5, false, "caf\xc3\xa9 " },
		{ "cafe\xcc\x81", 5, false, "cafe\xcc\x81 " }, /* combining */
		{ "\xe6\x9d\xb1\xe4\xba\xac", 5, false, "\xe6\x9d\xb1\xe4\xba\xac " }, /* wide */
		{ "\xe6\x9d\xb1\xe4\xba\xac\xe9", 4, false, "\xe6\x9d\xb1… " }, /* no half of one */
		{ "\xf0\x9f\x9a\x80"
		  "x",
		  4, false,
		  "\xf0\x9f\x9a\x80"
		  "x " },
		{ "\x1b[2J", 8, false, "\\x1b[2J " },
		{ "a\nb\tc", 11, false, "a\\x0ab\\x09c" },
		{ "\xff\xc0\x80", 12, false, "\\xff\\xc0\\x80" },
		{ "\xc2\x9b"
		  "31m",
		  8, false, "\\x9b31m " }, /* CSI as one character */
		{ "\xe2\x80\xae"
		  "abc",
		  9, false, "\\u202eabc" },    /* right-to-left override */
		{ "a\x1b", 4, false, "a…  " }, /* an escape is not cut */
		{ "a\x1b", 4, true, "a…  " },
		{ "\\x41", 4, false, "\\x41" },
		{ "x", 1, false, "x" },
		{ "xy", 1, false, "…" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = drawn(cases[i].text, cases[i].width, cases[i].right);

		assert_string_equal(text, cases[i].drawn);
		free(text);
	}
}

static void test_paragraphs(void **state)
{
	static const struct {
		const char *text, *drawn;
		int used, indent, width;
	} cases[] = {
		{ "", "\n", 0, 0, 10 },
		{ "one two three", "one two\nthree\n", 0, 0, 10 },
		{ "one two three", "one two\n  three\n", 0, 2, 8 },
		{ "one two three", "one\n  two\n  three\n", 4, 2, 8 },
		{ "  one   two ", "one two\n", 0, 0, 10 },
		{ "1234567 90", "1234567 90\n", 0, 0, 10 },
		{ "a bcdefghijklm", "a\nbcdefghijk\nlm\n", 0, 0, 10 },
		{ "abcdefghijklm n", "abcdefghij\n klm n\n", 0, 1, 10 },
		{ "a\nb c", "a\\x0ab\nc\n", 0, 0, 6 },
		{ "\xe6\x9d\xb1\xe4\xba\xac x", "\xe6\x9d\xb1\xe4\xba\xac\nx\n", 0, 0, 5 },
		{ "run 'a b', then c", "run\n'a b',\nthen c\n", 0, 0, 9 },
		{ "'a b c d' e", "'a b\nc d'\ne\n", 0, 0, 5 },
		{ "don't 'a b", "don't 'a\nb\n", 0, 0, 8 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *buf = NULL;
		size_t len;
		FILE *out = open_memstream(&buf, &len);

		term_text_wrap(out, cases[i].text, cases[i].used, cases[i].indent, cases[i].width);
		fclose(out);
		assert_string_equal(buf, cases[i].drawn);
		free(buf);
	}
}

/* A command is one line, however narrow the terminal is. */
static void test_commands_are_not_broken(void **state)
{
	static const struct {
		const char *text, *drawn;
	} cases[] = {
		{ "one two three", "one two\n  three\n" },
		{ "one two:\n\tnft insert rule\ntwo three\n\tx\n\ty",
		  "one\n  two:\n    nft insert rule\n  two three\n    x\n    y\n" },
		{ "one:\n\ta\x1b[2J\xe2\x80\xae"
		  "b",
		  "one:\n    a\\x1b[2J\\u202eb\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *buf = NULL;
		size_t len;
		FILE *out = open_memstream(&buf, &len);

		term_text_wrap_commands(out, cases[i].text, 4, 2, 11);
		fclose(out);
		assert_string_equal(buf, cases[i].drawn);
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),  cmocka_unit_test(test_times),
		cmocka_unit_test(test_states),	   cmocka_unit_test(test_cells),
		cmocka_unit_test(test_paragraphs), cmocka_unit_test(test_commands_are_not_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

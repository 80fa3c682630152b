/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses, pooled strings, arenas and failures. */
#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/jsonval.h"
#include "base/strpool.h"
#include "base/error.h"
#include "facts.h"

/* ---- addresses ---- */

static void addr_there_and_back(void **state)
{
	static const char *const texts[] = {
		"10.0.0.7:5051",
		"0.0.0.0:0",
		"255.255.255.255:65535",
		"127.0.0.1:1",
		"[::]:5051",
		"[::1]:5051",
		"[fe80::1]:5051",
		"[2001:db8:1:2:3:4:5:6]:65535",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ew_addr addr;
		char buf[ADDR_TEXT_MAX];

		assert_int_equal(addr_parse(texts[i], &addr), 0);
		assert_string_equal(addr_text(&addr, buf), texts[i]);
	}
}

static void addr_refuses(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		"10.0.0.7",
		"10.0.0.7:",
		"10.0.0.7:65536",
		"10.0.0.7:-1",
		"10.0.0.7:+1",
		"10.0.0.7: 1",
		"10.0.0.7:1 ",
		"10.0.0.7:0x10",
		"10.0.0:5051",
		"10.0.0.256:5051",
		"010.0.0.7.1:5051",
		"host:5051",
		"[::1]",
		"[::1]5051",
		"[::1:5051",
		"::1:5051",
		"[]:5051",
		"[10.0.0.7]:5051",
		"[::g]:1",
		"10.0.0.7:99999999999999999999",
		"[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]:1",
	};
	const struct ew_addr before = { .ip = { 1, 2, 3 }, .port = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ew_addr addr = before;

		if (addr_parse(texts[i], &addr) != -EINVAL)
			fail_msg("'%s' was taken", texts[i]);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
}

/* A v4 connection of a v6 socket is the same as of a v4 one. */
static void addr_v4_mapped(void **state)
{
	struct ew_addr v4, mapped, other, v6;
	char buf[ADDR_TEXT_MAX];

	(void)state;
	addr_parse("10.0.0.7:5051", &v4);
	assert_int_equal(addr_parse("[::ffff:10.0.0.7]:5051", &mapped), 0);
	addr_parse("10.0.0.7:5052", &other);
	addr_parse("[::a00:7]:5051", &v6);
	assert_true(addr_equal(&v4, &mapped));
	assert_string_equal(addr_text(&mapped, buf), "10.0.0.7:5051");
	assert_true(addr_is_v4(&mapped));
	assert_false(addr_is_v4(&v6));
	assert_true(addr_ip_equal(&v4, &other));
	assert_false(addr_equal(&v4, &other));
	assert_false(addr_ip_equal(&v4, &v6));
	assert_true(addr_equal(&v4, &(struct ew_addr){ 0 }) == false);
	mapped = addr_from_v4("\x0a\0\0\x07", 5051);
	assert_true(addr_equal(&v4, &mapped));
}

static void addr_kinds(void **state)
{
	static const struct {
		const char *text;
		bool any, loopback;
	} rows[] = {
		{ "0.0.0.0:5051", true, false },  { "[::]:1", true, false },
		{ "10.0.0.7:0", false, false },	  { "127.0.0.1:1", false, true },
		{ "127.255.0.9:1", false, true }, { "[::1]:1", false, true },
		{ "[::2]:1", false, false },	  { "[7f00::1]:1", false, false },
		{ "128.0.0.1:1", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ew_addr addr;

		addr_parse(rows[i].text, &addr);
		assert_int_equal(addr_is_any(&addr), rows[i].any);
		assert_int_equal(addr_is_loopback(&addr), rows[i].loopback);
	}
}

/* ---- pool ---- */

static void pool_one_copy_each(void **state)
{
	struct strpool *pool = strpool_new();
	char text[] = "mesos-executor";
	const char *a = strpool_text(pool, text);

	(void)state;
	assert_ptr_not_equal(a, text);
	text[0] = 'x';
	assert_string_equal(a, "mesos-executor");
	assert_ptr_equal(strpool_text(pool, "mesos-executor"), a);
	assert_ptr_not_equal(strpool_text(pool, "mesos-executo"), a);
	assert_ptr_not_equal(strpool_text(pool, text), a);
	assert_string_equal(strpool_text(pool, NULL), "");
	assert_ptr_equal(strpool_text(pool, NULL), strpool_text(pool, ""));
	for (int i = 0; i < 5000; i++) {
		char many[32];

		snprintf(many, sizeof(many), "task.%d", i % 2500);
		assert_string_equal(strpool_text(pool, many), many);
	}
	assert_ptr_equal(strpool_text(pool, "mesos-executor"), a);
	strpool_free(pool);
	strpool_free(NULL);
}

/* ---- arena ---- */

static void arena_gives_zeroed_aligned_room(void **state)
{
	struct arena *arena = arena_new();
	unsigned char *parts[100];

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		size_t size = i * i * 31 + 1; /* up to five times a chunk */

		parts[i] = arena_array(arena, 1, size);
		assert_int_equal((uintptr_t)parts[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(parts[i][j], 0);
		memset(parts[i], (int)i, size);
	}
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(parts[i][i * i * 31], i);
	assert_non_null(arena_array(arena, 0, 100));
	assert_false(arena_broken(arena));
	arena_free(arena);
	arena_free(NULL);
}

static void arena_texts(void **state)
{
	struct arena *arena = arena_new();
	char text[] = "web";
	const char *copy = arena_text(arena, text);
	char longest[100001];

	(void)state;
	text[0] = 'x';
	assert_string_equal(copy, "web");
	assert_string_equal(arena_text(arena, NULL), "");
	assert_string_equal(arena_text(arena, ""), "");
	assert_string_equal(arena_printf(arena, "%s:%d", "a", 7), "a:7");
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_string_equal(arena_printf(arena, "%s", longest), longest);
	assert_false(arena_broken(arena));
	arena_free(arena);
}

/* n * size that overflows, or that nobody has, is no small array. */
static void arena_overflow(void **state)
{
	static const struct {
		size_t n, size;
	} rows[] = { { SIZE_MAX, 2 },
		     { SIZE_MAX / 2 + 1, 2 },
		     { SIZE_MAX, 1 },
		     { (size_t)1 << 32, (size_t)1 << 32 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();

		assert_null(arena_array(arena, rows[i].n, rows[i].size));
		assert_true(arena_broken(arena));
		assert_non_null(arena_array(arena, 1, 8)); /* goes on */
		assert_true(arena_broken(arena));	   /* and stays broken */
		arena_free(arena);
	}
}

/* ---- failures ---- */

static void fail_says_what_and_cure(void **state)
{
	struct error error = { 0 };
	char text[600], small[8];
	char longest[1000];

	(void)state;
	assert_int_equal(error_set(NULL, -EPERM, "x", "y"), -EPERM);
	assert_int_equal(error_set(&error, -EACCES, "run as root", "open '%s'", "/proc/1/fd"),
			 -EACCES);
	assert_string_equal(error_text(&error, text, sizeof(text)),
			    "open '/proc/1/fd': Permission denied; run as root");
	error_set(&error, -ENOENT, NULL, "open");
	assert_string_equal(error_text(&error, text, sizeof(text)),
			    "open: No such file or directory");
	error_text(&error, small, sizeof(small));
	assert_string_equal(small, "open: N");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	error_set(&error, -EIO, longest, "%s", longest);
	assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
	assert_int_equal(strlen(error.cure), sizeof(error.cure) - 1);
}

/* ---- JSON ---- */

static void json_that_a_terminal_may_show(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{ "plain", "[\"plain\"]" },
		{ "\xc3\xbc", "[\"\xc3\xbc\"]" }, /* an umlaut stays */
		{ "a\xe2\x80\xae"
		  "b",
		  "[\"a\\u202eb\"]" }, /* right-to-left override */
		{ "\xc2\x9b"
		  "1m",
		  "[\"\\u009b1m\"]" }, /* C1: begins a control sequence */
		{ "\x7f", "[\"\\u007f\"]" },
		{ "\xf3\xa0\x80\xa0", "[\"\\udb40\\udc20\"]" }, /* a tag: above U+FFFF */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *value = json_pack("[s]", rows[i].text), *back;
		char *text = jsonval_dumps(value, JSON_COMPACT);

		assert_string_equal(text, rows[i].json);
		back = json_loads(text, 0, NULL);
		assert_string_equal(json_string_value(json_array_get(back, 0)), rows[i].text);
		json_decref(back);
		json_decref(value);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_that_a_terminal_may_show),
		cmocka_unit_test(addr_there_and_back),
		cmocka_unit_test(addr_refuses),
		cmocka_unit_test(addr_v4_mapped),
		cmocka_unit_test(addr_kinds),
		cmocka_unit_test(pool_one_copy_each),
		cmocka_unit_test(arena_gives_zeroed_aligned_room),
		cmocka_unit_test(arena_texts),
		cmocka_unit_test(arena_overflow),
		cmocka_unit_test(fail_says_what_and_cure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

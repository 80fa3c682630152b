/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Recordings: what goes in comes out, and what a full disk, a kill or a stranger leaves behind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/factjson.h"
#include "base/error.h"
#include "record/recording.h"

#define HEADER "{\"schema\":\"execwatch.recording/1\",\"tool\":\"0.1.0\"}\n"

static char dir[] = "/tmp/execwatch-recording-XXXXXX";
static char path[64];

/* Facts are kept as the lines they would be, for comparing. */
struct heard {
	char text[1 << 16];
	size_t len, n;
};

static void heard_emit(void *ctx, const struct fact *fact)
{
	struct heard *heard = ctx;
	json_t *object = factjson_pack(fact);

	heard->len += json_dumpb(object, heard->text + heard->len,
				 sizeof(heard->text) - heard->len - 1, JSON_COMPACT);
	heard->text[heard->len++] = '\n';
	heard->n++;
	json_decref(object);
}

static struct fact sample(int i)
{
	struct fact fact = { .type = FACT_EXEC, .mono = i };

	fact.exec.pid = i;
	fact.exec.comm = i % 2 ? "mesos-executor" : "\xff odd \n";
	fact.exec.filename = "/usr/libexec/mesos/mesos-executor";
	return fact;
}

static void samples_emit(const struct fact_sink *sink, int n)
{
	for (int i = 0; i < n; i++) {
		struct fact fact = sample(i);

		fact_emit(sink, &fact);
	}
}

static void record(int n)
{
	struct recording *rec = NULL;
	struct error error = { 0 };
	struct fact_sink sink;

	assert_int_equal(recording_create(path, "0.1.0", &rec, &error), 0);
	sink = recording_sink(rec);
	samples_emit(&sink, n);
	assert_int_equal(recording_close(rec, &error), 0);
}

static int replay(const char *from, struct heard *heard, struct recording_counts *counts,
		  struct error *error)
{
	struct fact_sink sink = { .emit = heard_emit, .ctx = heard };

	heard->len = heard->n = 0;
	return recording_replay(from, &sink, counts, error);
}

static void file_write(const char *data, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static size_t file_read(char *buf, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(file);
	len = fread(buf, 1, size - 1, file);
	buf[len] = '\0';
	fclose(file);
	return len;
}

static int file_new(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/recording", dir);
	unlink(path);
	return 0;
}

static int dir_make(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int dir_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void test_what_goes_in_comes_out(void **state)
{
	static struct heard in, out;
	struct fact_sink sink = { .emit = heard_emit, .ctx = &in };
	struct recording_counts counts;
	struct error error = { 0 };
	struct stat st;

	(void)state;
	in.len = 0;
	samples_emit(&sink, 100);
	record(100);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(replay(path, &out, &counts, &error), 0);
	assert_int_equal(counts.facts, 100);
	assert_false(counts.cut);
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.text, in.text, in.len);
}

static void test_facts_reach_the_disk_with_a_flush(void **state)
{
	static struct heard out;
	struct recording *rec = NULL;
	struct recording_counts counts;
	struct fact_sink sink;

	(void)state;
	assert_int_equal(recording_create(path, "0.1.0", &rec, NULL), 0);
	sink = recording_sink(rec);
	samples_emit(&sink, 3);
	assert_int_equal(recording_flush(rec, NULL), 0);
	assert_int_equal(replay(path, &out, &counts, NULL), 0);
	assert_int_equal(out.n, 3);
	assert_int_equal(recording_close(rec, NULL), 0);
}

static void test_nothing_is_overwritten(void **state)
{
	struct recording *rec = NULL;
	struct error error = { 0 };
	char text[16];

	(void)state;
	file_write("dear", 4);
	assert_int_equal(recording_create(path, "0.1.0", &rec, &error), -EEXIST);
	assert_non_null(strstr(error.message, path));
	assert_true(error.cure[0]);
	assert_int_equal(file_read(text, sizeof(text)), 4);
	assert_string_equal(text, "dear");

	file_write("", 0); /* as mktemp(1) leaves it */
	assert_int_equal(recording_create(path, "0.1.0", &rec, &error), 0);
	assert_int_equal(recording_close(rec, &error), 0);

	assert_int_equal(recording_create("/nowhere/at/all", "0.1.0", &rec, &error), -ENOENT);
}

/* The limit makes the kernel write a part and then refuse, as a full disk does. */
static void test_a_full_disk_leaves_whole_lines(void **state)
{
	static struct heard out;
	struct rlimit old, limit;
	struct recording *rec = NULL;
	struct recording_counts counts;
	struct error error = { 0 };
	struct fact_sink sink;
	char text[4096];
	size_t len;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 1000;
	assert_int_equal(recording_create(path, "0.1.0", &rec, NULL), 0);
	sink = recording_sink(rec);
	samples_emit(&sink, 2);
	assert_int_equal(recording_flush(rec, NULL), 0);
	setrlimit(RLIMIT_FSIZE, &limit);
	samples_emit(&sink, 50);
	assert_int_equal(recording_flush(rec, &error), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(strstr(error.message, path));
	samples_emit(&sink, 50); /* a gap would be worse than an end */
	assert_int_equal(recording_flush(rec, &error), 0);
	assert_int_equal(recording_close(rec, &error), 0);

	len = file_read(text, sizeof(text));
	assert_true(len > 500 && len <= 1000);
	assert_int_equal(text[len - 1], '\n');
	assert_int_equal(replay(path, &out, &counts, &error), 0);
	assert_false(counts.cut);
	assert_true(out.n > 2 && out.n < 52);
}

static void test_a_device_that_is_full(void **state)
{
	struct recording *rec = NULL;
	struct error error = { 0 };

	(void)state;
	assert_int_equal(recording_create("/dev/full", "0.1.0", &rec, &error), -ENOSPC);
	assert_null(rec);
}

/* Its writer may be killed at any byte. */
static void test_cut_at_every_byte(void **state)
{
	static struct heard out;
	char text[4096];
	size_t len, header;

	(void)state;
	record(3);
	len = file_read(text, sizeof(text));
	header = strcspn(text, "\n") + 1;
	for (size_t cut = header; cut <= len; cut++) {
		struct recording_counts counts;
		struct error error = { 0 };
		size_t lines = 0;

		file_write(text, cut);
		for (size_t i = header; i < cut; i++)
			lines += text[i] == '\n';
		if (replay(path, &out, &counts, &error) < 0)
			fail_msg("cut at %zu: %s", cut, error.message);
		/* an object that lacks nothing but its newline is whole */
		if (cut < len && text[cut] == '\n' && cut > header)
			lines++;
		/* the last line is the footer: without it the recording is not complete */
		assert_int_equal(out.n, lines < 3 ? lines : 3);
		assert_int_equal(counts.incomplete, cut < len - 1);
		assert_int_equal(counts.cut, text[cut - 1] != '\n' && text[cut] != '\n');
	}
}

static void expect_refused(const char *text, int err, const char *says)
{
	static struct heard out;
	struct recording_counts counts;
	struct error error = { 0 };

	file_write(text, strlen(text));
	assert_int_equal(replay(path, &out, &counts, &error), err);
	assert_non_null(strstr(error.message, path));
	if (!strstr(error.message, says))
		fail_msg("'%s' does not say '%s'", error.message, says);
}

static void test_strangers_are_refused(void **state)
{
	static struct heard out;
	struct recording_counts counts;
	struct error error = { 0 };

	(void)state;
	expect_refused("", -ENODATA, "empty");
	expect_refused("hello\n", -EINVAL, "no document of execwatch");
	expect_refused("{\"schema\":\"execwatch.audit/1\"}\n", -EINVAL, "recording");
	expect_refused("{\"schema\":\"execwatch.recording/2\"}\n", -EPROTONOSUPPORT, "version 2");
	expect_refused("{\"schema\":\"execwatch.recording/2\"}\n", -EPROTONOSUPPORT, "version 1");
	expect_refused(HEADER "{\"type\":\"now\",\"mono_ns\":1}\nwhat?\n"
			      "{\"type\":\"now\",\"mono_ns\":2}\n",
		       -EINVAL, "line 3");
	expect_refused(HEADER "\n", -EINVAL, "line 2");
	assert_int_equal(replay("/nowhere", &out, &counts, &error), -ENOENT);
	assert_int_equal(replay("/", &out, &counts, &error), -EISDIR);
}

static void test_a_line_without_end_is_bounded(void **state)
{
	static struct heard out;
	struct recording_counts counts;
	struct error error = { 0 };
	size_t len = (size_t)6 << 20;
	char *text = malloc(len);

	(void)state;
	memset(text, 'x', len);
	memcpy(text, HEADER, strlen(HEADER));
	file_write(text, len);
	free(text);
	assert_int_equal(replay(path, &out, &counts, &error), -EINVAL);
	assert_non_null(strstr(error.message, "line 2 is longer than"));
}

static void test_later_versions_are_read(void **state)
{
	static const char text[] = HEADER "{\"type\":\"telepathy\",\"mono_ns\":1}\n"
					  "{\"type\":\"now\",\"mono_ns\":2,\"a\":1,\"b\":[]}\n";
	static struct heard out;
	struct recording_counts counts;

	(void)state;
	file_write(text, strlen(text));
	assert_int_equal(replay(path, &out, &counts, NULL), 0);
	assert_int_equal(counts.facts, 1);
	assert_int_equal(counts.later_types, 1);
	assert_int_equal(counts.later_fields, 2);
}

static void test_standard_input(void **state)
{
	static struct heard out;
	struct recording_counts counts;
	struct error error = { 0 };
	int old, fd, err;

	(void)state;
	record(4);
	old = dup(STDIN_FILENO);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	dup2(fd, STDIN_FILENO);
	close(fd);
	err = replay("-", &out, &counts, &error);
	if (old >= 0)
		dup2(old, STDIN_FILENO);
	assert_int_equal(err, 0);
	assert_int_equal(out.n, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_goes_in_comes_out, file_new),
		cmocka_unit_test_setup(test_facts_reach_the_disk_with_a_flush, file_new),
		cmocka_unit_test_setup(test_nothing_is_overwritten, file_new),
		cmocka_unit_test_setup(test_a_full_disk_leaves_whole_lines, file_new),
		cmocka_unit_test_setup(test_a_device_that_is_full, file_new),
		cmocka_unit_test_setup(test_cut_at_every_byte, file_new),
		cmocka_unit_test_setup(test_strangers_are_refused, file_new),
		cmocka_unit_test_setup(test_a_line_without_end_is_bounded, file_new),
		cmocka_unit_test_setup(test_later_versions_are_read, file_new),
		cmocka_unit_test_setup(test_standard_input, file_new),
	};

	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The baseline is the audit's own document: kept at once or not at all, read back or refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/now.h"
#include "base/walltime.h"
#include "base/error.h"
#include "record/baseline.h"

#define BOOT  "1f0c2b9e-3c39-4c65-9e0a-5d2a8b6a7f11"
#define AUDIT "tests/data/show/audit.json"

static char dir[] = "/tmp/execwatch-baseline-XXXXXX";
static char path[256];
static struct baseline_dir state_dir = { .path = dir };

struct heard {
	size_t n, foreseen;
	void (*look)(size_t i, const struct fact *fact);
};

static void heard_emit(void *ctx, const struct fact *fact)
{
	struct heard *heard = ctx;

	assert_int_equal(fact->mono, 42);
	if (fact->type == FACT_FORESEEN) {
		heard->foreseen++;
		return;
	}
	assert_int_equal(fact->type, FACT_BASELINE);
	if (heard->look)
		heard->look(heard->n, fact);
	heard->n++;
}

static int load(const char *from, const char *boot, struct heard *heard, struct error *error)
{
	struct fact_sink sink = { .emit = heard_emit, .ctx = heard };
	size_t n = 777;
	int err = baseline_load(NULL, from, boot, 42, &sink, &n, error);

	assert_int_equal(n, err ? 777 : heard->n);
	return err;
}

static void look(size_t i, const struct fact *fact)
{
	const struct fact_baseline *b = &fact->baseline;

	assert_string_equal(b->framework_id, "f-0001");
	assert_int_equal(b->agent_pid, 811);
	assert_int_equal(b->agent_start, 777);
	assert_string_equal(b->slave_id, "s-1");
	assert_true(b->taken_wall == INT64_C(1795503026123000000));
	if (i == 2) {
		assert_string_equal(b->executor_id, "gone");
		assert_string_equal(b->verdict, "disconnected");
		assert_true(b->disconnected_wall == INT64_C(1795502906123000000));
		assert_int_equal(b->link, 0);
	} else if (i == 3) {
		assert_string_equal(b->executor_id, "stale");
		assert_string_equal(b->container_id, "c-stale");
		assert_string_equal(b->protocol, "v0");
		assert_int_equal(b->pid, 4194304);
		assert_true(b->start == UINT64_MAX);
		assert_true(b->link == UINT64_MAX);
		assert_true(b->recovery_timeout == 900 * NS_PER_S);
		assert_int_equal(b->n_tasks, 3);
		assert_string_equal(b->tasks[2], "logger");
		assert_true(b->disconnected_wall == 0);
	} else if (i == 7) {
		assert_string_equal(b->executor_id, "\xff\xfe");
		assert_string_equal(b->tasks[0], "\xff\xfe latin-1 \xe9");
	} else if (i == 10) {
		assert_true(b->recovery_timeout == 1500000000);
	}
}

static void test_an_audit_is_read_back(void **state)
{
	struct heard heard = { .look = look };
	struct error error = { 0 };

	(void)state;
	if (load(AUDIT, BOOT, &heard, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(heard.n, 10); /* the foreign one is left out */
	assert_int_equal(heard.foreseen, 2);
}

static void test_a_shutdown_document_serves_as_well(void **state)
{
	struct heard heard = { 0 };

	(void)state;
	assert_int_equal(load("tests/data/show/shutdown.json", NULL, &heard, NULL), 0);
	assert_int_equal(heard.n, 10); /* the foreign one is left out */
}

static void test_another_boot(void **state)
{
	struct heard heard = { 0 };
	struct error error = { 0 };

	(void)state;
	assert_int_equal(load(AUDIT, "00000000-0000-0000-0000-000000000000", &heard, &error),
			 -ESTALE);
	assert_non_null(strstr(error.message, "another boot"));
	assert_int_equal(heard.n, 0);
}

static size_t files_in(const char *name)
{
	DIR *entries = opendir(name);
	size_t n = 0;
	struct dirent *entry;

	assert_non_null(entries);
	while ((entry = readdir(entries)))
		n += entry->d_name[0] != '.';
	closedir(entries);
	return n;
}

static void file_is(const char *text)
{
	char buf[4096];
	FILE *file = fopen(path, "re");
	size_t len;

	assert_non_null(file);
	len = fread(buf, 1, sizeof(buf) - 1, file);
	fclose(file);
	buf[len] = '\0';
	assert_string_equal(buf, text);
}

static void test_saving(void **state)
{
	const struct baseline_key key = { BOOT, 5051, 777, 811 };
	struct error error = { 0 };
	char sub[64], name[128];
	struct stat st;

	(void)state;
	snprintf(sub, sizeof(sub), "%s/a", dir);
	assert_int_equal(baseline_name(&key, name, sizeof(name)), 0);
	assert_string_equal(name, "baseline-" BOOT "-5051-00000000000000000777-811.json");
	snprintf(path, sizeof(path), "%s/%s", sub, name);
	/* A mistyped path leaves no directories behind. */
	assert_int_equal(baseline_save(NULL, path, "one\n", 4, &error), -ENOENT);
	assert_int_equal(stat(sub, &st), -1);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(baseline_save(NULL, path, "one\n", 4, &error), 0);
	file_is("one\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(baseline_save(NULL, path, "two\n", 4, &error), 0);
	file_is("two\n");
	assert_int_equal(files_in(sub), 1);

	/* What stands in the way is named, and what was there stays. */
	assert_int_equal(baseline_save(NULL, "/dev/null/x/y", "three", 5, &error), -ENOTDIR);
	assert_non_null(strstr(error.message, "/dev/null/x/y"));
	assert_true(error.cure[0]);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0); /* rename over a directory fails */
	assert_int_equal(baseline_save(NULL, path, "four", 4, &error), -EISDIR);
	assert_int_equal(files_in(sub), 1);
	rmdir(path);
	assert_int_equal(rmdir(sub), 0);
}

/* The directory is the one that was opened, wherever its path leads by now. */
static void test_saving_in_a_state_directory(void **state)
{
	char was[64], moved[64], *text;
	struct baseline_dir sub = { .path = was };

	(void)state;
	snprintf(was, sizeof(was), "%s/was", dir);
	snprintf(moved, sizeof(moved), "%s/moved", dir);
	assert_int_equal(mkdir(was, 0700), 0);
	sub.fd = open(was, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rename(was, moved), 0);
	assert_int_equal(mkdir(was, 0700), 0);
	assert_int_equal(baseline_save(&sub, "one", "1", 1, NULL), 0);
	assert_int_equal(baseline_read(&sub, "one", &text), 0);
	assert_string_equal(text, "1");
	free(text);
	assert_int_equal(files_in(was), 0);
	assert_int_equal(files_in(moved), 1);
	close(sub.fd);
	snprintf(path, sizeof(path), "%s/one", moved);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(moved), 0);
	assert_int_equal(rmdir(was), 0);
}

/* ---- the files of a state directory ---- */

static void file_make(const char *name, const char *text, time_t written)
{
	struct timespec times[2] = { { .tv_sec = written }, { .tv_sec = written } };
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void kept_make(uint32_t port, uint64_t start, int32_t pid)
{
	const struct baseline_key key = { BOOT, port, start, pid };
	char name[128];

	assert_int_equal(baseline_name(&key, name, sizeof(name)), 0);
	file_make(name, "{}", 1000);
}

static void file_remove(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

static void kept_remove(uint32_t port, uint64_t start, int32_t pid)
{
	const struct baseline_key key = { BOOT, port, start, pid };
	char name[128];

	assert_int_equal(baseline_name(&key, name, sizeof(name)), 0);
	file_remove(name);
}

static void expect_agents(const struct baseline_file *expected, size_t n)
{
	struct baseline_files files;
	struct error error = { 0 };

	assert_int_equal(baseline_files_list(&state_dir, BOOT, 5051, &files, &error), 0);
	assert_int_equal(files.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(files.v[i].agent_start, expected[i].agent_start);
		assert_int_equal(files.v[i].agent_pid, expected[i].agent_pid);
	}
	baseline_files_free(&files);
}

#define SINGLE                                                                                     \
	"{\"schema\":\"execwatch.audit/1\",\"executors\":[],"                                      \
	"\"agent\":{\"pid\":12,\"start_time\":\"9007199254740993\"}}"

static void test_files_are_listed_by_the_age_of_their_agent(void **state)
{
	static const struct baseline_file expected[] = {
		{ .agent_start = 9007199254740993, .agent_pid = 12 }, /* of an earlier version */
		{ .agent_start = 1000, .agent_pid = 7 },
		{ .agent_start = 1000, .agent_pid = 6 },
		{ .agent_start = 999, .agent_pid = 9999 },
		{ .agent_start = 0, .agent_pid = 0 },
	};

	(void)state;
	kept_make(5051, 999, 9999);
	kept_make(5051, 0, 0);
	kept_make(5051, 1000, 6);
	kept_make(5051, 1000, 7);
	kept_make(5052, 1001, 8); /* another agent port */
	file_make("baseline-" BOOT "-5051.json", SINGLE, 1000);
	file_make("baseline-00000000-0000-0000-0000-000000000000-5051-1-1.json", "{}", 1000);
	file_make("baseline-" BOOT "-5051-00000000000000000777-811.json.a1B2c3", "{}", 1000);
	file_make("baseline-" BOOT "-5051-777-811.json", "{}", 1000);
	file_make("audit.log", "", 1000);
	expect_agents(expected, 5);

	/* An unreadable file of an earlier version names no agent. */
	file_make("baseline-" BOOT "-5051.json", "{", 1000);
	expect_agents(expected + 1, 4);

	kept_remove(5051, 999, 9999);
	kept_remove(5051, 0, 0);
	kept_remove(5051, 1000, 6);
	kept_remove(5051, 1000, 7);
	kept_remove(5052, 1001, 8);
	file_remove("baseline-" BOOT "-5051.json");
	file_remove("baseline-00000000-0000-0000-0000-000000000000-5051-1-1.json");
	file_remove("baseline-" BOOT "-5051-00000000000000000777-811.json.a1B2c3");
	file_remove("baseline-" BOOT "-5051-777-811.json");
	file_remove("audit.log");
	assert_int_equal(files_in(dir), 0);
}

static void test_no_directory_cannot_be_listed(void **state)
{
	struct baseline_dir none = { open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null" };
	struct baseline_files files;
	struct error error = { 0 };

	(void)state;
	assert_int_equal(baseline_files_list(&none, BOOT, 5051, &files, &error), -ENOTDIR);
	assert_non_null(strstr(error.message, "/dev/null"));
	baseline_files_free(&files);
	close(none.fd);
}

/* In a directory with the sticky bit, such as /tmp, others have files too. */
static void test_a_file_of_others_is_refused(void **state)
{
	struct heard heard = { 0 };
	struct fact_sink sink = { .emit = heard_emit, .ctx = &heard };
	struct error error = { 0 };
	char *text = NULL;
	size_t n = 777;

	(void)state;
	file_make("theirs", SINGLE, 1000);
	assert_int_equal(baseline_read(&state_dir, "theirs", &text), 0);
	free(text);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_int_equal(baseline_load(&state_dir, "theirs", NULL, 42, &sink, &n, &error), -EPERM);
	assert_non_null(strstr(error.message, path));
	assert_int_equal(baseline_read(&state_dir, "theirs", &text), -EPERM);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(rename(path, "/tmp/execwatch-baseline-elsewhere"), 0);
	assert_int_equal(symlink("/tmp/execwatch-baseline-elsewhere", path), 0);
	assert_int_equal(baseline_load(&state_dir, "theirs", NULL, 42, &sink, &n, &error), -ELOOP);
	assert_int_equal(heard.n, 0);
	assert_int_equal(n, 777);
	assert_int_equal(unlink("/tmp/execwatch-baseline-elsewhere"), 0);
	file_remove("theirs");
}

#define OTHER "baseline-00000000-0000-0000-0000-000000000000-5051"
#define TMP   "baseline-" BOOT "-5051-00000000000000000777-811.json"

static void test_only_outdated_files_are_removed(void **state)
{
	const int64_t now = 100 * 86400;
	struct baseline_files files;

	(void)state;
	for (uint64_t start = 1; start <= BASELINE_KEPT + 3; start++)
		kept_make(5051, start, 1);
	file_make(OTHER "-00000000000000000001-1.json", "{}", now - 31 * 86400);
	file_make(OTHER "-00000000000000000002-2.json", "{}", now - 29 * 86400);
	file_make(TMP ".aaaaaa", "{}", now - 2 * 86400);
	file_make(TMP ".bbbbbb", "{}", now - 60);
	file_make("." TMP ".4711", "{}", now - 2 * 86400);
	file_make("." TMP ".4712", "{}", now - 60);
	file_make("." TMP ".mine", "{}", 0);
	file_make("baseline-of-mine.json", "{}", 0);
	file_make("audit.log", "", 0);
	baseline_files_prune(&state_dir, BOOT, 5051, now);

	assert_int_equal(baseline_files_list(&state_dir, BOOT, 5051, &files, NULL), 0);
	assert_int_equal(files.n, BASELINE_KEPT);
	assert_int_equal(files.v[0].agent_start, BASELINE_KEPT + 3);
	assert_int_equal(files.v[BASELINE_KEPT - 1].agent_start, 4);
	baseline_files_free(&files);

	for (uint64_t start = 4; start <= BASELINE_KEPT + 3; start++)
		kept_remove(5051, start, 1);
	file_remove(OTHER "-00000000000000000002-2.json");
	file_remove(TMP ".bbbbbb");
	file_remove("." TMP ".4712");
	file_remove("." TMP ".mine");
	assert_int_equal(unlinkat(state_dir.fd, "." TMP ".4711", 0), -1);
	file_remove("baseline-of-mine.json");
	file_remove("audit.log");
	assert_int_equal(files_in(dir), 0);
}

#define EXECUTOR(id, pid, more)                                                                    \
	"{\"framework_id\":\"f\",\"executor_id\":\"" id "\",\"container_id\":\"c\",\"pid\":" pid   \
	",\"start_time\":\"18446744073709551615\"" more "}"

static void test_merging_keeps_the_executors_of_before(void **state)
{
	char *merged = NULL;
	size_t len = 0;
	int err;

	(void)state;
	err = baseline_merge(
		"{\"executors\":[" EXECUTOR("a", "1", ",\"verdict\":\"disconnected\"") "," EXECUTOR(
			"new", "9", "") "]}",
		"{\"executors\":[" EXECUTOR("a", "1", ",\"verdict\":\"half-open\"") "," EXECUTOR(
			"gone", "2", "") "," EXECUTOR("a", "3", "") "]}",
		true, &merged, &len);
	assert_int_equal(err, 0);
	assert_int_equal(strlen(merged), len);
	assert_non_null(strstr(merged, "\"disconnected\""));
	assert_null(strstr(merged, "\"half-open\""));
	assert_non_null(strstr(merged, "\"new\""));
	assert_non_null(strstr(merged, "\"gone\""));
	assert_non_null(strstr(merged, "\"pid\": 3"));
	free(merged);
	assert_int_equal(baseline_merge("{\"executors\":[]}",
					"{\"executors\":[" EXECUTOR("gone", "2", "") "]}", false,
					&merged, &len),
			 0);
	assert_null(strstr(merged, "gone"));
	free(merged);
	assert_int_equal(baseline_merge("{}", "{\"executors\":[]}", true, &merged, &len), -EINVAL);
}

#define DISCONNECTED(at) EXECUTOR("a", "1", ",\"verdict\":\"disconnected\",\"disconnected_at\":" at)

static void expect_disconnected(const char *now, const char *before, const char *merged_at)
{
	char *merged = NULL;
	size_t len = 0;

	assert_int_equal(baseline_merge(now, before, false, &merged, &len), 0);
	assert_non_null(strstr(merged, merged_at));
	free(merged);
}

/* A disconnection that nobody saw is dated by the first audit that found it. */
static void test_merging_keeps_the_earlier_disconnection(void **state)
{
	static const char early[] =
		"{\"executors\":[" DISCONNECTED("\"2026-11-24T06:00:00.000Z\"") "]}";
	static const char late[] =
		"{\"executors\":[" DISCONNECTED("\"2026-11-24T07:00:00.000Z\"") "]}";
	static const char never[] = "{\"executors\":[" DISCONNECTED("null") "]}";
	static const char linked[] = "{\"executors\":[" EXECUTOR(
		"a", "1", ",\"verdict\":\"healthy\",\"disconnected_at\":null") "]}";

	(void)state;
	expect_disconnected(late, early, "06:00:00");
	expect_disconnected(early, late, "06:00:00");
	expect_disconnected(never, early, "06:00:00");
	expect_disconnected(early, never, "06:00:00");
	expect_disconnected(linked, early, "\"disconnected_at\": null");
}

static void test_a_treatment_is_recognized(void **state)
{
	(void)state;
	assert_true(baseline_is_treated("{\"acts\": [\n {\n\"result\": \"done\"}]}"));
	assert_false(baseline_is_treated("{\"acts\": [], \"x\": 1}"));
	assert_false(baseline_is_treated("{\"acts\": [\n{\"result\": \"failed\"}]}"));
	assert_false(baseline_is_treated(
		"{\"executor_id\": \"\\\"acts\\\": [\\\"result\\\": \\\"done\\\"\"}"));
}

static void expect_refused(const char *text, int err, const char *says)
{
	struct heard heard = { 0 };
	struct error error = { 0 };
	FILE *file;

	snprintf(path, sizeof(path), "%s/foreign", dir);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	if (load(path, NULL, &heard, &error) != err)
		fail_msg("'%s' gave %d: %s", text, error.code, error.message);
	if (!strstr(error.message, says) || !strstr(error.message, path))
		fail_msg("'%s' does not say '%s'", error.message, says);
	assert_int_equal(heard.n, 0);
	unlink(path);
}

#define HEAD "{\"schema\":\"execwatch.audit/1\",\"generated_at\":\"2026-11-24T06:50:26Z\","
#define GOOD "{\"executor_id\":\"e\",\"tasks\":[]}"

static void test_strangers_are_refused(void **state)
{
	struct heard heard = { 0 };
	struct error error = { 0 };

	(void)state;
	expect_refused("", -EINVAL, "line 1");
	expect_refused("\x7f"
		       "ELF",
		       -EINVAL, "line 1");
	expect_refused("[]", -EINVAL, "no document");
	expect_refused("{}", -EINVAL, "no document");
	expect_refused("{\"schema\":\"execwatch.verify/1\",\"executors\":[]}", -EINVAL,
		       "no document");
	expect_refused("{\"schema\":\"execwatch.audit/2\",\"executors\":[]}", -EPROTONOSUPPORT,
		       "version 2");
	expect_refused(HEAD "\"executors\":{}}", -EINVAL, "executors");
	expect_refused(HEAD "\"executors\":[7]}", -EINVAL, "'executor_id' of executor 1");
	/* A good one before a bad one is not put either. */
	expect_refused(HEAD "\"executors\":[" GOOD ",{\"executor_id\":7}]}", -EINVAL,
		       "'executor_id' of executor 2");
	expect_refused(HEAD "\"executors\":[{\"executor_id\":\"e\",\"pid\":-1}]}", -EINVAL,
		       "'pid'");
	expect_refused(HEAD "\"executors\":[{\"executor_id\":\"e\",\"pid\":4294967296}]}", -EINVAL,
		       "'pid'");
	expect_refused(HEAD "\"executors\":[{\"executor_id\":\"e\",\"tasks\":[1]}]}", -EINVAL,
		       "'tasks'");
	expect_refused(HEAD "\"executors\":[{\"executor_id\":\"e\",\"recovery_timeout_s\":1e300}]}",
		       -EINVAL, "'recovery_timeout_s'");
	expect_refused(HEAD "\"executors\":[{\"executor_id\":\"e\",\"disconnected_at\":\"now\"}]}",
		       -EINVAL, "'disconnected_at'");
	expect_refused(HEAD "\"executors\":[" GOOD "]} trailing", -EINVAL, "line 1");
	assert_int_equal(load("/nowhere", NULL, &heard, &error), -ENOENT);
	assert_non_null(strstr(error.cure, "execwatch audit"));
	assert_int_equal(load("/", NULL, &heard, &error), -EISDIR);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t wall;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T23:59:59.999Z", -1000000 },
		{ "2026-11-24T06:50:26.123456789Z", INT64_C(1795503026123456789) },
		{ "2024-02-29T12:00:00.5Z", INT64_C(1709208000500000000) },
	};
	static const char *const bad[] = { "",
					   "2026-11-24",
					   "2026-11-24T06:50:26",
					   "2026-11-24T06:50:26+01:00",
					   "2026-11-24T06:50:26.1",
					   "99999-01-01T00:00:00Z",
					   "0001-01-01T00:00:00Z",
					   "2026-13-24T06:50:26Z" };
	char text[WALLTIME_TEXT_MAX];
	int64_t wall = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(walltime_parse(good[i].text, &wall), 0);
		assert_true(wall == good[i].wall);
		assert_int_equal(walltime_parse(walltime_text(wall, text), &wall), 0);
		assert_true(wall == good[i].wall - (good[i].wall > 0 ? good[i].wall % 1000000 : 0));
	}
	wall = 5;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (walltime_parse(bad[i], &wall) == 0)
			fail_msg("taken for a time: '%s'", bad[i]);
	}
	assert_true(wall == 5);
}

static int dir_make(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	state_dir.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return state_dir.fd < 0 ? -1 : 0;
}

static int dir_remove(void **state)
{
	(void)state;
	close(state_dir.fd);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_audit_is_read_back),
		cmocka_unit_test(test_a_shutdown_document_serves_as_well),
		cmocka_unit_test(test_another_boot),
		cmocka_unit_test(test_saving),
		cmocka_unit_test(test_saving_in_a_state_directory),
		cmocka_unit_test(test_files_are_listed_by_the_age_of_their_agent),
		cmocka_unit_test(test_no_directory_cannot_be_listed),
		cmocka_unit_test(test_a_file_of_others_is_refused),
		cmocka_unit_test(test_only_outdated_files_are_removed),
		cmocka_unit_test(test_merging_keeps_the_executors_of_before),
		cmocka_unit_test(test_merging_keeps_the_earlier_disconnection),
		cmocka_unit_test(test_a_treatment_is_recognized),
		cmocka_unit_test(test_strangers_are_refused),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}

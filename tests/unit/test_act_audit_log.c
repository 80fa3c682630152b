/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The audit log: whole lines of JSON, also when the disk is full. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "act/audit_log.h"
#include "base/error.h"
#include "facts.h"
#include "log_dir.h"

static const struct fact act = { .type = FACT_ACT,
				 .mono = 5,
				 .act = { .phase = "intent",
					  .action = "shutdown",
					  .framework_id = "fw \"1\"",
					  .executor_id = "a\nb \xff caf\xc3\xa9",
					  .pid = 4711,
					  .start = 99,
					  .fd = 17,
					  .cookie = 1ULL << 60,
					  .inode = 12345,
					  .stopped = -1,
					  .effect = -1 } };

static size_t slurp(char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[len > 0 ? len : 0] = '\0';
	return len > 0 ? (size_t)len : 0;
}

static void lines_of_json(void **state)
{
	struct audit_log *log;
	char text[8192], *line, *next = text;
	struct stat st;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 2; i++) { /* a log that is opened again is appended to */
		assert_int_equal(audit_log_open(dir, &log, NULL), 0);
		assert_int_equal(audit_log_write(log, &act, NULL), 0);
		assert_int_equal(audit_log_write(log, &act, NULL), 0);
		assert_int_equal(audit_log_sync(log, NULL), 0);
		audit_log_close(log);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	slurp(text, sizeof(text));
	while ((line = strsep(&next, "\n")) && *line) {
		json_t *json = json_loads(line, 0, NULL);

		assert_non_null(json);
		assert_int_equal(json_integer_value(json_object_get(json, "pid")), 4711);
		assert_int_equal(json_integer_value(json_object_get(json, "by_pid")), getpid());
		assert_string_equal(json_string_value(json_object_get(json, "phase")), "intent");
		assert_non_null(strchr(json_string_value(json_object_get(json, "ts")), 'T'));
		json_decref(json);
		n++;
	}
	assert_int_equal(n, 4);
	audit_log_close(NULL);
}

/* A line that a power failure has cut short is not continued by the next. */
static void after_half_a_line(void **state)
{
	struct audit_log *log;
	char text[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(write(fd, "{\"phase\":\"int", 13), 13);
	close(fd);
	assert_int_equal(audit_log_open(dir, &log, NULL), 0);
	assert_int_equal(audit_log_write(log, &act, NULL), 0);
	audit_log_close(log);
	slurp(text, sizeof(text));
	assert_memory_equal(text, "{\"phase\":\"int\n{", 15);
}

/* In a mount namespace of its own: a disk of 8 KiB, with room for a part of the line only. */
static int full_disk(void)
{
	struct audit_log *log;
	struct error error = { 0 };
	char text[16384], fill[5000];
	size_t before, n = 0;
	struct stat st;
	int err, fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tiny", dir, "tmpfs", 0, "size=8k") < 0)
		return 77;
	if (audit_log_open(dir, &log, &error) < 0)
		return 1;
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	memset(fill, 'x', sizeof(fill));
	fill[sizeof(fill) - 1] = '\n';
	if (write(fd, fill, sizeof(fill)) != sizeof(fill))
		return 2;
	close(fd);
	do {
		before = slurp(text, sizeof(text));
		err = audit_log_write(log, &act, &error);
	} while (!err && ++n < 100);
	if (err != -ENOSPC || n < 2 || !strstr(error.message, path) ||
	    !strstr(error.cure, "--state-dir"))
		return 3;
	if (slurp(text, sizeof(text)) != before || text[before - 1] != '\n')
		return 4; /* the file must end as before */
	audit_log_close(log);
	if (stat(path, &st) < 0 || (size_t)st.st_size != before)
		return 5;
	return 0;
}

/* The pids of the results in the log, as "11 12 13". */
static const char *pids_logged(void)
{
	static char pids[64];
	char text[16384], *line, *next = text;

	pids[0] = '\0';
	slurp(text, sizeof(text));
	while ((line = strsep(&next, "\n"))) {
		const char *at = strstr(line, "\"pid\":");

		if (at && strstr(line, "\"phase\":\"result\""))
			snprintf(pids + strlen(pids), sizeof(pids) - strlen(pids), "%s%d",
				 *pids ? " " : "", atoi(at + 6));
	}
	return pids;
}

/* Fills the file system of the log. Returns the file's descriptor, or -1. */
static int fill_up(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0 && posix_fallocate(fd, 0, 8192) == 0 ? fd : -1;
}

/* Results are written once there is room, in their order; an intent that failed never is. */
static int room_again(void)
{
	struct fact result = act;
	struct audit_log *log;
	struct error error = { 0 };
	char file[128];
	int fill;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tiny", dir, "tmpfs", 0, "size=8k") < 0)
		return 77;
	snprintf(file, sizeof(file), "%s/fill", dir);
	if (audit_log_open(dir, &log, &error) < 0 || (fill = fill_up(file)) < 0)
		return 1;
	result.act.phase = "result";
	for (result.act.pid = 11; result.act.pid < 14; result.act.pid++)
		if (audit_log_write(log, &result, &error) != -ENOSPC)
			return 2;
	if (audit_log_write(log, &act, &error) != -ENOSPC ||
	    audit_log_retry(log, &error) != -ENOSPC || audit_log_unwritten(log) != 3)
		return 3;
	if (ftruncate(fill, 0) < 0 || audit_log_write(log, &result, &error) < 0 ||
	    audit_log_unwritten(log) != 0 || strcmp(pids_logged(), "11 12 13 14") != 0)
		return 4;
	if (ftruncate(fill, 0) < 0 || posix_fallocate(fill, 0, 4096) != 0)
		return 5;
	while (audit_log_write(log, &result, &error) == 0)
		result.act.pid++;
	if (ftruncate(fill, 0) < 0 || audit_log_retry(log, &error) < 0 ||
	    audit_log_unwritten(log) != 0)
		return 6;
	audit_log_close(log);
	close(fill);
	return 0;
}

static void in_a_namespace(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status == 77 << 8)
		skip(); /* not root */
	assert_int_equal(status, 0);
}

static void disk_is_full(void **state)
{
	(void)state;
	in_a_namespace(full_disk);
}

static void disk_is_full_for_a_while(void **state)
{
	(void)state;
	in_a_namespace(room_again);
}

static void says_what_it_cannot_open(void **state)
{
	struct audit_log *log = NULL;
	struct error error = { 0 };

	(void)state;
	assert_int_equal(audit_log_open("/proc/no/such", &log, &error), -ENOENT);
	assert_non_null(strstr(error.message, "/proc/no/such"));
	assert_non_null(strstr(error.cure, "--state-dir"));
	assert_int_equal(symlink("/tmp/ew-log-elsewhere", path), 0);
	assert_int_equal(audit_log_open(dir, &log, &error), -ELOOP);
	assert_null(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_of_json, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(after_half_a_line, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(disk_is_full, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(disk_is_full_for_a_while, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(says_what_it_cannot_open, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

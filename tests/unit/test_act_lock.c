/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One acting execwatch on a host, tried with real processes. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "act/lock.h"
#include "base/error.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ew-lock-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/sub/acting.lock", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/sub", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/acting.lock", dir);
	unlink(path);
	return rmdir(dir);
}

/* A process that takes the lock, reports that, and waits. */
static pid_t holder_start(void)
{
	int told[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		int fd;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (act_lock_take(dir, "acting", &fd, NULL) == 0 && write(told[1], "t", 1) == 1)
			pause();
		_exit(1);
	}
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	return pid;
}

static void second_is_told_who_acts(void **state)
{
	pid_t holder = holder_start();
	struct error error = { 0 };
	char pid[32];
	int fd = -7;

	(void)state;
	assert_int_equal(act_lock_take(dir, "acting", &fd, &error), -EBUSY);
	assert_int_equal(fd, -7);
	snprintf(pid, sizeof(pid), "pid %d)", holder);
	assert_non_null(strstr(error.message, pid));
	assert_non_null(strstr(error.message, dir));
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	assert_int_equal(act_lock_take(dir, "acting", &fd, &error),
			 0); /* released by the end of its holder */
	close(fd);
}

/* What another process gets that tries to take the lock: 0 or a positive errno. */
static int result_elsewhere(void)
{
	pid_t pid = fork();
	int status, fd;

	if (pid == 0)
		_exit(-act_lock_take(dir, "acting", &fd, NULL));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void given_back_by_closing(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(act_lock_take(dir, "acting", &fd, NULL), 0);
	assert_int_equal(result_elsewhere(), EBUSY);
	close(fd);
	assert_int_equal(result_elsewhere(), 0);
}

/* A child that hangs in the kernel, and outlives the holder, must not keep others from acting. */
static void not_inherited_by_a_child(void **state)
{
	int fd, told[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(told), 0);
	assert_int_equal(act_lock_take(dir, "acting", &fd, NULL), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(told[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(result_elsewhere(), EBUSY);
	close(fd);
	assert_int_equal(result_elsewhere(), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(told[0]);
	close(told[1]);
}

/* A program that the holder has started does not hold the lock. */
static void not_inherited_over_exec(void **state)
{
	int fd, hold[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(act_lock_take(dir, "acting", &fd, NULL), 0);
	assert_int_equal(pipe2(hold, 0), 0);
	pid = fork();
	if (pid == 0) {
		dup2(hold[0], 0);
		dup2(hold[1], 1);
		execlp("sh", "sh", "-c", "echo; exec sleep 30", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(read(hold[0], &byte, 1), 1); /* it runs */
	close(fd);
	assert_int_equal(act_lock_take(dir, "acting", &fd, NULL), 0);
	close(fd);
	close(hold[0]);
	close(hold[1]);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void makes_its_directory(void **state)
{
	char sub[128];
	struct stat st;
	int fd;

	(void)state;
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	assert_int_equal(act_lock_take(sub, "acting", &fd, NULL), 0);
	close(fd);
	snprintf(sub, sizeof(sub), "%s/sub/acting.lock", dir);
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void says_what_it_cannot_open(void **state)
{
	struct error error = { 0 };
	char path[128];
	int fd = -7;

	(void)state;
	assert_int_equal(act_lock_take("/proc/no/such", "acting", &fd, &error), -ENOENT);
	assert_non_null(strstr(error.message, "/proc/no/such"));
	assert_non_null(strstr(error.cure, "--run-dir"));
	/* a symbolic link is not followed */
	snprintf(path, sizeof(path), "%s/acting.lock", dir);
	unlink(path);
	assert_int_equal(symlink("/tmp/ew-lock-elsewhere", path), 0);
	assert_int_equal(act_lock_take(dir, "acting", &fd, &error), -ELOOP);
	assert_int_not_equal(access("/tmp/ew-lock-elsewhere", F_OK), 0);
	assert_int_equal(fd, -7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(second_is_told_who_acts, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(given_back_by_closing, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(not_inherited_by_a_child, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(not_inherited_over_exec, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(makes_its_directory, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(says_what_it_cannot_open, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lines, numbered directories and the files of /proc/PID, of real processes where they can be. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/dirents.h"
#include "base/lines.h"
#include "base/proc.h"

/* ---- lines ---- */

/* A file without a name that holds text. */
static int file_of(const char *text)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	fputs(text, file);
	fflush(file);
	fd = dup(fileno(file));
	fclose(file);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void lines_come_one_by_one(void **state)
{
	static const struct {
		const char *line;
		bool cut;
	} expected[] = {
		{ "one", false },   { "", false },	 { "123456", false }, { "1234567", true },
		{ "after", false }, { "abcdefg", true }, { "end", false },
	};
	int fd = file_of("one\n\n123456\n1234567\nafter\nabcdefghijklmnopqrstuvwxyz\nend");
	struct lines lines;
	char buf[8], *line;
	size_t len;

	(void)state;
	lines_init(&lines, fd, buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		line = lines_next(&lines, &len);
		assert_non_null(line);
		assert_string_equal(line, expected[i].line);
		assert_int_equal(len, strlen(expected[i].line));
		assert_int_equal(lines.cut, expected[i].cut);
	}
	assert_null(lines_next(&lines, &len));
	assert_int_equal(lines.err, 0);
	close(fd);
}

static void a_file_that_cannot_be_read_has_an_error_and_no_lines(void **state)
{
	struct lines lines;
	char buf[8];
	size_t len;
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);

	(void)state;
	lines_init(&lines, fd, buf, sizeof(buf));
	assert_null(lines_next(&lines, &len));
	assert_int_equal(lines.err, -EISDIR);
	close(fd);
}

/* ---- dirents ---- */

static void only_names_that_are_numbers_are_entries(void **state)
{
	char dir[] = "/tmp/ew-dirents-XXXXXX", path[64];
	static const char *const names[] = { "7", "self", "300000", "net" };
	struct dirents list;
	int sum = 0, number, n = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	assert_int_equal(dirents_open(&list, AT_FDCWD, dir), 0);
	for (; (number = dirents_next(&list)) >= 0; n++)
		sum += number;
	assert_int_equal(number, -ENOENT);
	assert_int_equal(n, 2);
	assert_int_equal(sum, 300007);
	dirents_close(&list);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		rmdir(path);
	}
	rmdir(dir);
	assert_int_equal(dirents_open(&list, AT_FDCWD, dir), -ENOENT);
}

static void descriptors_are_found_from_an_offset_on(void **state)
{
	struct dirents list;

	(void)state;
	assert_int_equal(dup2(0, 500), 500);
	assert_int_equal(dup2(0, 502), 502);
	assert_int_equal(dirents_open(&list, AT_FDCWD, "/proc/self/fd"), 0);
	assert_int_equal(dirents_seek(&list, 400 + 2), 500);
	assert_int_equal(dirents_seek(&list, 501 + 2), 502);
	assert_int_equal(dirents_next(&list), -ENOENT);
	assert_int_equal(dirents_seek(&list, 503 + 2), -ENOENT);
	dirents_close(&list);
	close(500);
	close(502);
}

/* ---- /proc/PID ---- */

struct child {
	pid_t pid;
	int go; /* closing it ends the child */
};

/* A child that has done prepare() when this returns, and sleeps. */
static struct child child_start(void (*prepare)(void))
{
	struct child child;
	int ready[2], go[2];
	char byte = 'r';

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		close(go[1]);
		prepare();
		if (write(ready[1], &byte, 1) == 1 && read(go[0], &byte, 1) >= 0)
			_exit(3);
		_exit(1);
	}
	close(ready[1]);
	close(go[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	child.go = go[1];
	return child;
}

static void child_end(struct child *child)
{
	close(child->go);
	waitpid(child->pid, NULL, 0);
}

static void own_session_and_name(void)
{
	setsid();
	prctl(PR_SET_NAME, "a) R 1 (b");
}

static void stat_tells_who_a_process_is(void **state)
{
	struct child child = child_start(own_session_and_name);
	struct proc_stat stat, again;

	(void)state;
	for (int i = 0; i < 10000; i++) { /* it is about to sleep */
		assert_int_equal(proc_stat_of(child.pid, &stat), 0);
		if (stat.state == 'S')
			break;
		usleep(1000);
	}
	assert_string_equal(stat.comm, "a) R 1 (b");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, getpid());
	assert_int_equal(stat.pgrp, child.pid);
	assert_int_equal(stat.session, child.pid);
	assert_int_equal(stat.flags & (PROC_EXITING | PROC_KTHREAD), 0);
	assert_int_equal(proc_stat_of(child.pid, &again), 0);
	assert_true(again.start == stat.start && stat.start > 0);
	close(child.go);
	assert_int_equal(waitid(P_PID, (id_t)child.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_stat_of(child.pid, &again), 0);
	assert_int_equal(again.state, 'Z');
	assert_int_equal(again.exit_code, 3 << 8);
	assert_int_equal(again.flags & PROC_EXITING, PROC_EXITING);
	waitpid(child.pid, NULL, 0);
	assert_true(proc_is_gone(proc_stat_of(child.pid, &again)));
}

/* Fields 3 to 52 are numbered, so that each that is read shows which one it was. */
static void each_field_of_stat_is_the_one_that_proc_names(void **state)
{
	static const char *const damaged[] = { "", "1 (a", "1 (a) S 4", "1 )a( S 4 5 6 7 8 9",
					       "1 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 "
					       "20 21" };
	char text[512] = "1 (a) S";
	struct proc_stat stat;

	(void)state;
	for (int i = 4; i <= 52; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", i);
	assert_int_equal(proc_stat_parse(text, &stat), 0);
	assert_int_equal(stat.ppid, 4);
	assert_int_equal(stat.pgrp, 5);
	assert_int_equal(stat.session, 6);
	assert_int_equal(stat.flags, 9);
	assert_int_equal(stat.start, 22);
	assert_int_equal(stat.exit_code, 52);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++)
		assert_int_equal(proc_stat_parse(damaged[i], &stat), -EBADMSG);
}

static void five_hundred_groups_and_a_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };
	gid_t groups[500];

	for (size_t i = 0; i < 500; i++)
		groups[i] = 1000000000 + (gid_t)i;
	if (setgroups(500, groups) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(1);
}

static void status_is_read_behind_five_hundred_groups(void **state)
{
	char path[PROC_PATH_MAX], text[4096];
	struct proc_status status;
	struct child child;
	int dir;

	(void)state;
	if (geteuid() != 0)
		skip(); /* setgroups(2) */
	child = child_start(five_hundred_groups_and_a_filter);
	dir = proc_open(child.pid);
	assert_true(dir >= 0);
	assert_int_equal(proc_read(dir, "status", text, sizeof(text)), sizeof(text) - 1);
	assert_null(strstr(text, "\nSeccomp:"));
	assert_int_equal(proc_status_read(dir, "status", &status), 0);
	assert_int_equal(status.tgid, child.pid);
	assert_int_equal(status.ns_pid, child.pid);
	assert_int_equal(status.ns_depth, 1);
	assert_int_equal(status.tracer, 0);
	assert_int_equal(status.threads, 1);
	assert_true(status.fd_size >= 64);
	assert_int_equal(status.seccomp, 2);
	close(dir);
	assert_int_equal(proc_status_read(AT_FDCWD, proc_path(path, child.pid, child.pid, "status"),
					  &status),
			 0);
	assert_int_equal(status.seccomp, 2);
	child_end(&child);
	assert_int_equal(proc_status_read(AT_FDCWD, path, &status), -ENOENT);
}

static void lines_of_status_set_their_field(void **state)
{
	struct proc_status status = { 0 };

	(void)state;
	proc_status_line("NSpid:\t4711\t17\t1", &status);
	proc_status_line("TracerPid:\t99", &status);
	proc_status_line("x86_Thread_features_locked:\tshstk", &status);
	assert_false(status.shadow_stack);
	proc_status_line("x86_Thread_features:\tshstk wrss ", &status);
	proc_status_line("Seccomp_filters:\t7", &status);
	proc_status_line("no colon", &status);
	assert_int_equal(status.ns_pid, 1);
	assert_int_equal(status.ns_depth, 3);
	assert_int_equal(status.tracer, 99);
	assert_int_equal(status.seccomp, 0);
	assert_true(status.shadow_stack);
}

static void a_hierarchy_is_found_by_its_name(void **state)
{
	static const struct {
		const char *hierarchy, *path;
		int err;
	} cases[] = {
		{ "name=systemd", "/sys/a:b", 0 },
		{ "", "/unified", 0 },
		{ "freezer", "/f", 0 },
		{ "memory", "/f", 0 },
		{ "cpu", "/c", 0 },
		{ "free", "", -ENOENT },
		{ "systemd", "", -ENOENT },
		{ "pids", "/long/pa", -ENAMETOOLONG },
	};
	char dir_path[] = "/tmp/ew-cgroup-XXXXXX", file[64], path[9];
	FILE *out;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(dir_path));
	snprintf(file, sizeof(file), "%s/cgroup", dir_path);
	out = fopen(file, "w");
	fputs("5:cpu:/c\n4:freezer,memory:/f\n3:pids:/long/path\n1:name=systemd:/sys/a:b\n"
	      "0::/unified\n",
	      out);
	fclose(out);
	dir = open(dir_path, O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(proc_cgroup_read(dir, cases[i].hierarchy, path, sizeof(path)),
				 cases[i].err);
		assert_string_equal(path, cases[i].path);
	}
	unlink(file);
	rmdir(dir_path);
	assert_int_equal(proc_cgroup_read(dir, "", path, sizeof(path)), -ENOENT);
	close(dir);
}

static void a_descriptor_of_a_socket_tells_its_inode(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char path[PROC_PATH_MAX], name[16];
	uint64_t inode = 1;
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(name, sizeof(name), "fd/%d", fd);
	proc_path(path, getpid(), 0, name);
	assert_int_equal(proc_fd_socket(AT_FDCWD, path, &inode), 0);
	assert_int_equal(inode, st.st_ino);
	close(fd);
	assert_int_equal(proc_fd_socket(AT_FDCWD, path, &inode), 0);
	assert_int_equal(inode, 0);
	assert_int_equal(proc_socket_inode("socket:[12345]"), 12345);
	assert_int_equal(proc_socket_inode("/tmp/socket:[12345]"), 0);
	assert_int_equal(proc_socket_inode("pipe:[12345]"), 0);
}

static void namespaces_are_told_by_inode(void **state)
{
	int dir = proc_open(getpid());
	struct stat st;

	(void)state;
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(proc_ns(dir, "net"), st.st_ino);
	assert_int_equal(proc_ns_own("net"), st.st_ino);
	assert_int_equal(proc_ns(dir, "nothing"), 0);
	close(dir);
}

/* ---- alive or not ---- */

static void *wait_for_signal(void *tid)
{
	*(_Atomic pid_t *)tid = gettid();
	for (;;)
		pause();
	return NULL;
}

/* A child whose first thread ends once another one runs; *other tells which. */
static pid_t child_without_first_thread(_Atomic pid_t *other)
{
	pid_t pid = fork();
	pthread_t thread;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_create(&thread, NULL, wait_for_signal, (void *)other);
	while (!*other)
		sched_yield();
	syscall(SYS_exit, 0); /* this thread alone */
	_exit(1);
}

static uint64_t await_zombie(pid_t pid)
{
	struct timespec pause_1ms = { .tv_nsec = 1000000 };
	struct proc_stat stat;

	for (int i = 0; i < 10000; i++) {
		assert_int_equal(proc_stat_of(pid, &stat), 0);
		if (stat.state == 'Z')
			return stat.start;
		nanosleep(&pause_1ms, NULL);
	}
	fail_msg("process %d does not become a zombie", pid);
	return 0;
}

static void a_process_is_alive_while_any_thread_is(void **state)
{
	_Atomic pid_t *other = mmap(NULL, sizeof(*other), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = child_without_first_thread(other);
	uint64_t start = await_zombie(pid);

	(void)state;
	assert_int_equal(proc_live_thread(pid, start), *other);
	assert_int_equal(proc_live_thread(pid, 0), *other);
	assert_int_equal(proc_live_thread(pid, start + 1), 0); /* another process */
	assert_false(proc_has_ended(pid, start));
	assert_true(proc_has_ended(pid, start + 1));
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_live_thread(pid, start), 0); /* a zombie as a whole */
	assert_true(proc_has_ended(pid, start));
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_live_thread(pid, start), 0);
	assert_true(proc_has_ended(pid, start));
	assert_int_equal(proc_live_thread(getpid(), 0), getpid());
	munmap((void *)other, sizeof(*other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_one_by_one),
		cmocka_unit_test(a_file_that_cannot_be_read_has_an_error_and_no_lines),
		cmocka_unit_test(only_names_that_are_numbers_are_entries),
		cmocka_unit_test(descriptors_are_found_from_an_offset_on),
		cmocka_unit_test(stat_tells_who_a_process_is),
		cmocka_unit_test(each_field_of_stat_is_the_one_that_proc_names),
		cmocka_unit_test(status_is_read_behind_five_hundred_groups),
		cmocka_unit_test(lines_of_status_set_their_field),
		cmocka_unit_test(a_hierarchy_is_found_by_its_name),
		cmocka_unit_test(a_descriptor_of_a_socket_tells_its_inode),
		cmocka_unit_test(namespaces_are_told_by_inode),
		cmocka_unit_test(a_process_is_alive_while_any_thread_is),
	};

	return cmocka_run_group_tests_name("base_proc", tests, NULL, NULL);
}

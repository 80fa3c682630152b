/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file of protected links: what is written comes back, and what is not sure is not used. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "act/protected.h"
#include "base/error.h"
#include "base/proc.h"

static char dir[64], path[128];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ew-protected-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/protected.json", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* Of this process, which is alive. */
static struct protected_link link_of(uint64_t cookie)
{
	struct protected_link link = { .cookie = cookie, .pid = getpid() };
	struct proc_stat stat;

	assert_int_equal(proc_stat_of(getpid(), &stat), 0);
	link.start = stat.start;
	link.before = (struct keepalive){ true, 7200, 75, 9 };
	return link;
}

static struct protected *load(const char *boot_id)
{
	struct protected *links = NULL;
	struct error error = { 0 };

	assert_int_equal(protected_load(dir, boot_id, &links, &error), 0);
	return links;
}

static void keep(const struct protected_link *link)
{
	struct protected *links = load("boot");
	struct error error = { 0 };

	assert_int_equal(protected_add(links, link), 0);
	assert_int_equal(protected_save(links, &error), 0);
	protected_free(links);
}

static void there_and_back(void **state)
{
	struct protected_link a = link_of(UINT64_MAX), b = link_of(7), later = a;
	const struct protected_link *found;
	struct protected *links;

	(void)state;
	b.before.on = false;
	later.before.idle = 1;
	keep(&a);
	keep(&b);
	keep(&later); /* the values of before the first act stay */
	links = load("boot");
	found = protected_find(links, UINT64_MAX);
	assert_non_null(found);
	assert_int_equal(found->pid, getpid());
	assert_true(found->start == a.start);
	assert_true(keepalive_equal(&found->before, &a.before));
	assert_true(keepalive_equal(&protected_find(links, 7)->before, &b.before));
	protected_remove(links, UINT64_MAX);
	protected_remove(links, 99);
	assert_null(protected_find(links, UINT64_MAX));
	assert_non_null(protected_find(links, 7));
	protected_free(links);
}

/* Cookies count from 1 again after a boot, and pids are used again. */
static void of_another_boot_or_process(void **state)
{
	struct protected_link ended = link_of(8), mine = link_of(9);
	struct protected *links;

	(void)state;
	ended.start++; /* another process had this pid */
	keep(&ended);
	keep(&mine);
	links = load("boot");
	assert_null(protected_find(links, 8));
	assert_non_null(protected_find(links, 9));
	protected_free(links);
	links = load("other boot");
	assert_null(protected_find(links, 9));
	protected_free(links);
}

/* The process lives on; what its socket had before is of no use any more. */
static void of_a_socket_that_is_closed(void **state)
{
	struct protected_link open_one = link_of(8), closed_one = link_of(9),
			      of_before = link_of(10);
	int fds[] = { socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0) };
	struct protected *links;
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fds[0], &st), 0);
	open_one.inode = st.st_ino;
	assert_int_equal(fstat(fds[1], &st), 0);
	closed_one.inode = st.st_ino;
	keep(&open_one);
	keep(&closed_one);
	keep(&of_before); /* by a version that did not write which socket it is */
	links = load("boot");
	assert_non_null(protected_find(links, 9));
	protected_free(links);
	close(fds[1]);
	links = load("boot");
	assert_true(protected_find(links, 8)->inode == open_one.inode);
	assert_null(protected_find(links, 9));
	assert_non_null(protected_find(links, 10));
	protected_free(links);
	close(fds[0]);
}

static void damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"boot_id\":\"boot\"}",
		"{\"boot_id\":1,\"links\":[]}",
		"{\"boot_id\":\"boot\",\"links\":[1]}",
		"{\"boot_id\":\"boot\",\"links\":[{\"cookie\":\"-1\",\"pid\":1,\"start\":\"1\","
		"\"on\":true,\"idle_s\":1,\"interval_s\":1,\"count\":1}]}",
		"{\"boot_id\":\"boot\",\"links\":[{\"cookie\":\"1\",\"pid\":1,\"start\":\"1\","
		"\"on\":1,\"idle_s\":1,\"interval_s\":1,\"count\":1}]}",
		"{\"boot_id\":\"boot\",\"links\":[{\"cookie\":\"1\",\"pid\":1,\"start\":\"1\","
		"\"on\":true,\"idle_s\":-1,\"interval_s\":1,\"count\":1}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		struct protected *links = NULL;
		struct error error = { 0 };

		assert_true(fd >= 0);
		assert_int_equal(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
		close(fd);
		if (protected_load(dir, "boot", &links, &error) != -EBADMSG)
			fail_msg("'%s' was taken", texts[i]);
		assert_non_null(strstr(error.message, "protected.json"));
		assert_null(links);
	}
}

static void a_link_in_the_place_of_the_file(void **state)
{
	struct protected *links = NULL;
	struct error error = { 0 };

	(void)state;
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(protected_load(dir, "boot", &links, &error), -ELOOP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_and_back),
		TEST(of_another_boot_or_process),
		TEST(of_a_socket_that_is_closed),
		TEST(damaged),
		TEST(a_link_in_the_place_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

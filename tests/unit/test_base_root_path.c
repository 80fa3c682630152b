/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths as a process with another root directory sees them. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/root_path.h"

static char root[] = "/tmp/ew-root-path-XXXXXX";

static const char *const dirs[] = { "/data", "/data/mesos", "/data/mesos/meta", "/var" };

static const struct {
	const char *name, *to;
} links[] = {
	{ "/var/absolute", "/data/mesos" },
	{ "/var/relative", "../data/mesos" },
	{ "/var/twice", "/var/absolute" },
	{ "/var/above", "../../../../data" },
	{ "/var/loop", "loop" },
	{ "/var/nowhere", "/no/such" },
};

static int tree_make(void **state)
{
	char path[PATH_MAX];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, links[i].name);
		if (symlink(links[i].to, path) < 0)
			return -1;
	}
	return 0;
}

static int tree_remove(void **state)
{
	char path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, links[i].name);
		unlink(path);
	}
	for (size_t i = sizeof(dirs) / sizeof(dirs[0]); i > 0; i--) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i - 1]);
		rmdir(path);
	}
	return rmdir(root);
}

static void resolved_below_the_root(void **state)
{
	static const struct {
		const char *path, *resolved; /* NULL: it fails with err */
		int err;
	} rows[] = {
		{ "/data/mesos/meta", "/data/mesos/meta", 0 },
		{ "//data/./mesos/", "/data/mesos", 0 },
		{ "/var/absolute/meta", "/data/mesos/meta", 0 },
		{ "/var/relative/meta", "/data/mesos/meta", 0 },
		{ "/var/twice/meta", "/data/mesos/meta", 0 },
		{ "/var/above/mesos", "/data/mesos", 0 },
		{ "/../../data", "/data", 0 },
		{ "/", "", 0 },
		{ "/var/loop", NULL, -ELOOP },
		{ "/var/nowhere", NULL, -ENOENT },
		{ "/data/none/meta", NULL, -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[PATH_MAX], want[PATH_MAX];
		int err = root_path_resolve(root, rows[i].path, buf, sizeof(buf));

		if (err != rows[i].err)
			fail_msg("%s: %d", rows[i].path, err);
		if (!rows[i].resolved)
			continue;
		snprintf(want, sizeof(want), "%s%s", root, rows[i].resolved);
		assert_string_equal(buf, want);
	}
}

static void a_buffer_that_is_too_small(void **state)
{
	char buf[sizeof(root) + 4];

	(void)state;
	assert_int_equal(root_path_resolve(root, "/data/mesos", buf, sizeof(buf)), -ENAMETOOLONG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolved_below_the_root),
		cmocka_unit_test(a_buffer_that_is_too_small),
	};

	return cmocka_run_group_tests(tests, tree_make, tree_remove);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A unit's file and drop-ins in real directories: which of them count, and in which order. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "observe/agent/unit_load.h"
#include "scratch_tree.h"
#include "systemd/unit_file.h"

struct tree {
	struct scratch_tree files;
	const char *root;
	struct arena *arena;
	struct loaded_unit unit;
};

static int setup(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	scratch_tree_make(&tree->files);
	tree->root = tree->files.root;
	tree->arena = arena_new();
	*state = tree;
	return 0;
}

static int teardown(void **state)
{
	struct tree *tree = *state;

	scratch_tree_remove(&tree->files);
	arena_free(tree->arena);
	free(tree);
	return 0;
}

static void put(const struct tree *tree, const char *path, const char *text)
{
	scratch_tree_put(&tree->files, path, text);
}

static int load(struct tree *tree, const char *name)
{
	return unit_load(tree->arena, tree->root, name, NULL, &tree->unit);
}

static const char *value(const struct tree *tree, const char *key)
{
	const char *text = unit_setting(tree->unit.settings, "Service", key);

	return text ? text : "";
}

/* The directory in /etc beats that of the package, whole: the package's file is not read. */
static void one_file_counts(void **state)
{
	struct tree *tree = *state;

	put(tree, "/usr/lib/systemd/system/a.service",
	    "[Service]\nKillMode=mixed\nRestart=always\n");
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "mixed");
	put(tree, "/etc/systemd/system/a.service", "[Service]\nRestart=no\n");
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "");
	assert_string_equal(value(tree, "Restart"), "no");
	put(tree, "/run/systemd/transient/a.service", "[Service]\nRestart=on-failure\n");
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(value(tree, "Restart"), "on-failure");
	assert_int_equal(load(tree, "b.service"), -ENOENT);
}

/* By name, wherever they are; of one name the more important directory's. */
static void drop_ins_apply_in_the_order_of_their_names(void **state)
{
	struct tree *tree = *state;

	put(tree, "/usr/lib/systemd/system/a.service", "[Service]\nKillMode=none\n");
	put(tree, "/etc/systemd/system/a.service.d/10.conf", "[Service]\nKillMode=process\n");
	put(tree, "/run/systemd/system/a.service.d/20.conf", "[Service]\nKillMode=mixed\n");
	put(tree, "/etc/systemd/system/a.service.d/30.txt", "[Service]\nKillMode=none\n");
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "mixed");
	assert_int_equal(tree->unit.n, 3);
	assert_string_equal(tree->unit.paths[2] + strlen(tree->root),
			    "/run/systemd/system/a.service.d/20.conf");
	put(tree, "/etc/systemd/system/a.service.d/20.conf", "[Service]\nKillMode=control-group\n");
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "control-group");
	put(tree, "/etc/systemd/system/service.d/99.conf", "[Service]\nKillMode=none\n");
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "none");
}

static void templates_and_prefixes(void **state)
{
	struct tree *tree = *state;

	put(tree, "/etc/systemd/system/mesos-agent@.service", "[Service]\nKillMode=none\n");
	assert_int_equal(load(tree, "mesos-agent@one.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "none");
	put(tree, "/etc/systemd/system/mesos-agent@.service.d/1.conf",
	    "[Service]\nKillMode=process\n");
	assert_int_equal(load(tree, "mesos-agent@one.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "process");
	put(tree, "/etc/systemd/system/mesos-.service.d/2.conf", "[Service]\nKillMode=mixed\n");
	assert_int_equal(load(tree, "mesos-agent@one.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "mixed");
	put(tree, "/etc/systemd/system/mesos-agent@one.service.d/2.conf",
	    "[Service]\nKillMode=control-group\n");
	assert_int_equal(load(tree, "mesos-agent@one.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "control-group");
}

static void link_put(const struct tree *tree, const char *target, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", tree->root, path);
	assert_int_equal(symlink(target, full), 0);
}

/* A unit has the drop-ins of all its names, whichever of them is asked for (Alias=). */
static void other_names_of_a_unit(void **state)
{
	static const char *const names[] = { "mesos-agent.service", "worker.service" };
	struct tree *tree = *state;

	put(tree, "/usr/lib/systemd/system/mesos-agent.service", "[Service]\nKillMode=none\n");
	put(tree, "/etc/systemd/system/worker.service.d/1.conf", "[Service]\nKillMode=mixed\n");
	put(tree, "/elsewhere/linked.service", "[Service]\nRestart=always\n");
	link_put(tree, "/usr/lib/systemd/system/mesos-agent.service",
		 "/etc/systemd/system/worker.service");
	link_put(tree, "../../../elsewhere/linked.service", "/etc/systemd/system/linked.service");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(load(tree, names[i]), 0);
		assert_string_equal(tree->unit.name, "mesos-agent.service");
		assert_string_equal(value(tree, "KillMode"), "mixed");
		assert_string_equal(tree->unit.paths[0] + strlen(tree->root),
				    "/usr/lib/systemd/system/mesos-agent.service");
	}
	assert_int_equal(load(tree, "linked.service"), 0); /* systemctl link */
	assert_string_equal(tree->unit.name, "linked.service");
	assert_string_equal(value(tree, "Restart"), "always");
}

static void masks(void **state)
{
	struct tree *tree = *state;
	char path[PATH_MAX];

	put(tree, "/usr/lib/systemd/system/a.service", "[Service]\nKillMode=none\n");
	put(tree, "/usr/lib/systemd/system/a.service.d/1.conf", "[Service]\nKillMode=mixed\n");
	put(tree, "/etc/systemd/system/a.service.d/0.conf", "[Service]\n");
	snprintf(path, sizeof(path), "%s/etc/systemd/system/a.service.d/1.conf", tree->root);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(value(tree, "KillMode"), "none");
	snprintf(path, sizeof(path), "%s/etc/systemd/system/a.service", tree->root);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(load(tree, "a.service"), -ENOLINK);
}

/* A file that is not installed yet, with the drop-ins that are. */
static void a_file_that_is_named(void **state)
{
	struct tree *tree = *state;
	char path[PATH_MAX];

	put(tree, "/usr/lib/systemd/system/a.service", "[Service]\nRestart=no\n");
	put(tree, "/etc/systemd/system/a.service.d/1.conf", "[Service]\nKillMode=process\n");
	put(tree, "/new/a.service", "[Service]\nRestart=always\n");
	snprintf(path, sizeof(path), "%s/new/a.service", tree->root);
	assert_int_equal(unit_load(tree->arena, tree->root, "other.service", path, &tree->unit), 0);
	assert_string_equal(tree->unit.name, "a.service");
	assert_string_equal(value(tree, "Restart"), "always");
	assert_string_equal(value(tree, "KillMode"), "process");
	assert_int_equal(unit_load(tree->arena, tree->root, "x", tree->root, &tree->unit), -EISDIR);
}

static void the_newest_file_is_named(void **state)
{
	struct tree *tree = *state;

	put(tree, "/etc/systemd/system/a.service", "[Service]\n");
	put(tree, "/etc/systemd/system/a.service.d/1.conf", "[Service]\n");
	assert_int_equal(load(tree, "a.service"), 0);
	usleep(20000); /* the clock of files has ticked */
	assert_int_equal(chmod(tree->unit.paths[0], 0600), 0);
	assert_int_equal(load(tree, "a.service"), 0);
	assert_string_equal(tree->unit.changed_path + strlen(tree->root),
			    "/etc/systemd/system/a.service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_file_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(drop_ins_apply_in_the_order_of_their_names, setup,
						teardown),
		cmocka_unit_test_setup_teardown(templates_and_prefixes, setup, teardown),
		cmocka_unit_test_setup_teardown(other_names_of_a_unit, setup, teardown),
		cmocka_unit_test_setup_teardown(masks, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_file_is_named, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

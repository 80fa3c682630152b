/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Features of the mounts: a container may have only a part of the cgroup hierarchy. */
#include <mntent.h>

#include "test_bpf_actor.h"

static struct fixture *fixture;
static char root[256], part[512], mine[] = "/tmp/ew-ground.XXXXXX";

/* Where cgroup2 is mounted; with several mounts, the last. */
static void find_root(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;

	assert_non_null(mounts);
	while ((entry = getmntent(mounts)))
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			snprintf(root, sizeof(root), "%s", entry->mnt_dir);
	endmntent(mounts);
}

/* In a mount namespace of its own: mounts a subtree and unmounts the root. */
static int setup(void **state)
{
	(void)state;
	find_root();
	if (!*root)
		return 0;
	if (fixture_dir_new(mine) < 0)
		return -1;
	snprintf(part, sizeof(part), "%s/ew-ground-%d", root, getpid());
	return mkdir(part, 0755) < 0 || mount(part, mine, NULL, MS_BIND, NULL) < 0 ||
	       umount2(root, MNT_DETACH) < 0;
}

static int teardown(void **state)
{
	(void)state;
	if (*root && mount("none", root, "cgroup2", 0, NULL) == 0)
		rmdir(part);
	umount2(mine, MNT_DETACH);
	rmdir(mine);
	return 0;
}

static void emit_nothing(void *ctx, const struct fact *fact)
{
	(void)ctx;
	(void)fact;
}

static void test_part_of_the_cgroups(void **state)
{
	struct ew_bpf_options options = { .agent_port = 1, .messages = EW_BPF_MESSAGES_CGROUP };
	struct fact_sink nowhere = { emit_nothing, NULL };
	struct ew_bpf *watch = NULL;
	struct error error = { 0 };

	(void)state;
	if (!*root)
		skip();
	assert_int_equal(ew_bpf_open(&options, &nowhere, &watch, &error), -ENOTSUP);
	assert_non_null(strstr(error.message, "only a part of the cgroup2 hierarchy"));
}

static bool is_message(const struct fact *fact, const void *arg)
{
	(void)arg;
	return fact->type == FACT_MESSAGE;
}

/* The subtree, which has no processes, is mounted before the root. */
static void test_root_behind_a_part(void **state)
{
	struct ew_bpf_options options = { .messages = EW_BPF_MESSAGES_CGROUP };
	struct actor agent, executor;

	(void)state;
	if (!*root)
		skip();
	assert_int_equal(mount("none", root, "cgroup2", 0, NULL), 0);
	fixture = fixture_new(&options);
	agent = actor_new();
	executor = actor_new();
	assert_true(actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET) > 0);
	assert_true(actor_act(&executor, ACT_CONNECT, fixture->port, AF_INET) > 0);
	assert_true(actor_send(&executor, "POST /slave(1)/mesos.internal.X HTTP/1.1\r\n\r\n") > 0);
	fixture_wait(fixture, is_message, NULL, 1, "message");
	actor_end(&executor);
	actor_end(&agent);
	fixture_free(fixture);
	umount2(root, MNT_DETACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_part_of_the_cgroups),
		cmocka_unit_test(test_root_behind_a_part),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

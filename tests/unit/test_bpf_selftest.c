/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An observer that sees nothing fails; the events of its test are not reported. */
#include <pthread.h>

#include "observe/bpf/libbpf.h"
#include "observe/bpf/selftest.h"
#include "test_bpf_actor.h"

static struct fixture *fixture;

static int selftest(struct error *error)
{
	struct ew_bpf *observer = fixture->watch;

	return ew_bpf_selftest(bpf_map__fd(observer->programs.skel->maps.procs), observer->rings,
			       observer->records, error);
}

static void detach(const char *name)
{
	for (size_t i = 0; i < ew_bpf_hooks_n; i++)
		if (strcmp(ew_bpf_hooks[i].name, name) == 0) {
			assert_int_equal(bpf_link__destroy(fixture->watch->programs.links[i]), 0);
			fixture->watch->programs.links[i] = NULL;
			return;
		}
	fail_msg("no hook '%s'", name);
}

static const struct fact_hook *hook_fact(const char *name)
{
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == FACT_HOOK &&
		    strcmp(fixture->facts[i].hook.hook, name) == 0)
			return &fixture->facts[i].hook;
	fail_msg("no FACT_HOOK '%s'", name);
	return NULL;
}

static size_t processes_followed(void)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.procs);
	uint32_t tgid, *last = NULL;
	size_t n = 0;

	for (; bpf_map_get_next_key(fd, last, &tgid) == 0; last = &tgid)
		n++;
	return n;
}

/* The result is reported; the test's events are not, and no process stays followed. */
static void test_it_leaves_no_trace(void **state)
{
	(void)state;
	assert_string_equal(hook_fact("self-test")->program, "fork and exit");
	assert_string_equal(hook_fact("self-test")->reason, "");
	fixture_forget(fixture);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	ew_bpf_counters(fixture->watch, true, &fixture->sink);
	for (size_t i = 0; i < fixture->n; i++)
		assert_int_equal(fixture->facts[i].type, FACT_LOST);
	assert_int_equal(fixture->watch->reported.sum.life_shown, 0);
	assert_int_equal(processes_followed(), 0);
}

static void test_exits_not_seen(void **state)
{
	struct error error = { 0 };

	(void)state;
	detach("exit");
	assert_int_equal(selftest(&error), -EIO);
	assert_non_null(strstr(error.message, "the exit of a test child was not reported"));
	assert_non_null(strstr(error.cure, "--no-bpf"));
	assert_int_equal(processes_followed(), 1); /* the child, whose exit was not seen */
}

static void test_forks_not_seen(void **state)
{
	struct error error = { 0 };

	(void)state;
	detach("fork");
	assert_int_equal(selftest(&error), -EIO);
	assert_non_null(strstr(error.message, "the fork of a test child was not reported"));
	assert_int_equal(processes_followed(), 0);
}

/* 0: none. */
static uint32_t child_followed(void)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.procs);
	uint32_t tgid, *last = NULL;

	for (; bpf_map_get_next_key(fd, last, &tgid) == 0; last = &tgid)
		if (tgid != (uint32_t)getpid())
			return tgid;
	return 0;
}

static void *attach_exit(void *arg)
{
	int64_t end = mono_ms() + PATIENCE_MS;
	struct bpf_link **link = arg;
	uint32_t child;

	/* Until the child has exited, unseen. */
	while ((!(child = child_followed()) || kill((pid_t)child, 0) == 0) && mono_ms() < end)
		poll(NULL, 0, 1);
	*link = bpf_program__attach(fixture->watch->programs.skel->progs.process_exited);
	return NULL;
}

/* One missed event does not fail the test. */
static void test_one_missed_event_is_no_failure(void **state)
{
	struct bpf_link *link = NULL;
	struct error error = { 0 };
	pthread_t thread;

	(void)state;
	detach("exit");
	assert_int_equal(pthread_create(&thread, NULL, attach_exit, &link), 0);
	assert_int_equal(selftest(&error), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(processes_followed(), 0);
	ew_bpf_counters(fixture->watch, true, &fixture->sink);
	assert_int_equal(fixture->watch->reported.sum.life_shown, 0);
	bpf_link__destroy(link);
}

/* Programs that were replaced by another set are attached, but inactive. */
static void test_inactive_programs(void **state)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.meta);
	struct ew_meta other = fixture->watch->meta;
	struct error error = { 0 };
	__u32 zero = 0;

	(void)state;
	other.generation++;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &other, BPF_ANY), 0);
	assert_int_equal(selftest(&error), -EIO);
}

/* In another pid namespace it would name the wrong processes, so it must fail. */
static void test_in_another_pid_namespace(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = child_new();
	if (pid == 0) {
		if (unshare(CLONE_NEWPID) < 0)
			_exit(2);
		pid = fork();
		if (pid == 0) {
			struct ew_bpf_options options = { .agent_port = fixture->port };
			struct ew_bpf *watch;
			struct error error = { 0 };
			int err = ew_bpf_open(&options, &fixture->sink, &watch, &error);

			_exit(err == -EIO && strstr(error.cure, "hostPID") ? 0 : 3);
		}
		waitpid(pid, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Other events meanwhile are kept, and processes that were followed stay so. */
static void test_others_are_not_disturbed(void **state)
{
	struct ew_bpf *watch = fixture->watch;
	struct error error = { 0 };
	struct actor actor = actor_new();

	(void)state;
	fixture_forget(fixture);
	ew_bpf_add_process(watch, actor.pid, actor.start, EW_BPF_ROLE_EXECUTOR, NULL);
	ew_bpf_add_process(watch, getpid(), start_of(getpid()), EW_BPF_ROLE_AGENT, NULL);
	actor_act(&actor, ACT_EXIT, 3, 0);
	actor_end(&actor);
	assert_int_equal(selftest(&error), 0);
	ew_bpf_dispatch(watch, &fixture->sink);
	assert_int_equal(fixture->n, 1);
	assert_int_equal(fixture->facts[0].type, FACT_EXIT);
	assert_int_equal(fixture->facts[0].exit.pid, actor.pid);
	assert_int_equal(fixture->facts[0].exit.status, 3 << 8);
	assert_int_equal(processes_followed(), 1);
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_free(fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_leaves_no_trace),	     TEST(test_exits_not_seen),
		TEST(test_forks_not_seen),	     TEST(test_one_missed_event_is_no_failure),
		TEST(test_inactive_programs),	     TEST(test_in_another_pid_namespace),
		TEST(test_others_are_not_disturbed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

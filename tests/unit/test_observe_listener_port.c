/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which agent is meant by a port that it only advertises. Needs root. */
#include "test_observe.h"

#include "base/netns.h"
#include "observe/agent/listener_port.h"

enum { ADVERTISED = 5051, FIRST = 18061, SECOND = 18062 };

static struct child agents[2];

/* An agent that advertises ADVERTISED; other: one more thing that it does, or NULL. */
static void agent_start(size_t which, const char *listen, const char *other)
{
	const char *args[] = { listen, other, NULL };
	char *env[] = { "LIBPROCESS_ADVERTISE_PORT=5051", NULL };

	agents[which] = child_start(child_name("mesos-agent"), args, env, 0);
}

static struct listener_port found(void)
{
	struct listener_port ret;

	assert_int_equal(listener_port_find(NETNS_OWN, ADVERTISED, &ret, NULL), 0);
	return ret;
}

static void one_agent_advertises_it(void **state)
{
	(void)state;
	agent_start(0, "listen=18061", NULL);
	assert_int_equal(found().port, FIRST);
	assert_int_equal(found().pid, agents[0].pid);
}

/* A child that an agent has just forked has the agent's name and listener. */
static void a_forked_child_of_the_agent_is_no_second_agent(void **state)
{
	(void)state;
	agent_start(0, "listen=18062", "fork=");
	assert_int_equal(found().port, SECOND);
}

static void two_agents_advertise_it(void **state)
{
	(void)state;
	agent_start(0, "listen=18061", NULL);
	agent_start(1, "listen=18062", NULL);
	assert_int_equal(found().port, 0);
}

static void two_agents_advertise_it_and_one_forks(void **state)
{
	(void)state;
	agent_start(0, "listen=18061", NULL);
	agent_start(1, "listen=18062", "fork=");
	assert_int_equal(found().port, 0);
}

static void somebody_listens_on_it(void **state)
{
	int listener = listen_on(AF_INET, ADVERTISED);

	(void)state;
	agent_start(0, "listen=18061", NULL);
	assert_int_equal(found().port, ADVERTISED);
	assert_int_equal(found().pid, 0);
	close(listener);
}

static int begin(void **state)
{
	(void)state;
	return netns_make() < 0 ? -1 : dir_make();
}

static int agents_end(void **state)
{
	(void)state;
	child_end(&agents[0]);
	child_end(&agents[1]);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dir_remove();
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, agents_end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(one_agent_advertises_it), TEST(a_forked_child_of_the_agent_is_no_second_agent),
		TEST(two_agents_advertise_it), TEST(two_agents_advertise_it_and_one_forks),
		TEST(somebody_listens_on_it),
	};

	child_main(argc, argv);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, begin, end);
}

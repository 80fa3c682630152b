/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flags of running agents, from their command line and environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/agent/agent_flags.h"

static void command_lines(void **state)
{
	static const char items[] = "/usr/sbin/mesos-agent\0--work_dir=/a\0--log_dir=\0"
				    "--strict\0--no-docker_kill_orphans\0--work_dir=/b\0"
				    "--work_dir_x=/c\0-work=/d\0--master=zk://a:1,b:2/m";
	static const struct {
		const char *name, *want; /* NULL: not given */
	} cases[] = {
		{ "work_dir", "/b" },
		{ "log_dir", "" },
		{ "strict", "true" },
		{ "docker_kill_orphans", "false" },
		{ "master", "zk://a:1,b:2/m" },
		{ "work", NULL },
		{ "docker", NULL },
	};
	char value[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool found = agent_flag_in_cmdline(items, sizeof(items), cases[i].name, value,
						   sizeof(value));

		assert_int_equal(found, cases[i].want != NULL);
		if (cases[i].want)
			assert_string_equal(value, cases[i].want);
	}
	/* A value that does not fit is not taken for a shorter one. */
	assert_false(agent_flag_in_cmdline(items, sizeof(items), "master", value, 5));
}

static void environments(void **state)
{
	static const char items[] = "PATH=/bin\0MESOS_WORK_DIR=/a\0MESOS_log_dir=/b\0"
				    "MESOS_WORK_DIR_X=/c\0work_dir=/d";
	char value[64];

	(void)state;
	assert_true(agent_flag_in_environ(items, sizeof(items), "work_dir", value, sizeof(value)));
	assert_string_equal(value, "/a");
	assert_true(agent_flag_in_environ(items, sizeof(items), "log_dir", value, sizeof(value)));
	assert_string_equal(value, "/b");
	assert_false(agent_flag_in_environ(items, sizeof(items), "work", value, sizeof(value)));
	assert_false(agent_flag(getpid(), "no_such_flag", value, sizeof(value)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
		cmocka_unit_test(environments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

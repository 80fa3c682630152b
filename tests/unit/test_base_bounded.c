/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Work in a child process that may never return. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bounded.h"
#include "base/now.h"
#include "observe/agent/service.h"

static int says(void *ctx, int out)
{
	return dprintf(out, "%s", (const char *)ctx) < 0;
}

static int says_and_hangs(void *ctx, int out)
{
	says(ctx, out);
	for (;;)
		pause();
	return 0;
}

static int says_again_and_again(void *ctx, int out)
{
	while (says(ctx, out) == 0)
		usleep(1000);
	return 0;
}

static int says_and_fails(void *ctx, int out)
{
	says(ctx, out);
	return 1;
}

static void the_result_of_a_child_is_handed_over(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(bounded_text(10000, 0, says, "all of it", text, sizeof(text)), 9);
	assert_string_equal(text, "all of it");
	assert_int_equal(bounded_text(10000, 0, says, "", text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(bounded_text(10000, 0, says, "more than fits here", text, sizeof(text)),
			 15);
	assert_string_equal(text, "more than fits ");
}

static void a_child_that_says_no_more_is_abandoned(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(bounded_text(100, 0, says_and_hangs, "half", text, sizeof(text)),
			 -ETIMEDOUT);
	assert_string_equal(text, "half");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* it was killed */
	assert_int_equal(errno, ECHILD);
}

/* Each word comes in time, the whole does not. */
static void a_child_that_never_ends_is_abandoned(void **state)
{
	int64_t until = now_mono() + 100 * NS_PER_MS;
	char text[16];

	(void)state;
	assert_int_equal(
		bounded_text(10000, until, says_again_and_again, "on ", text, sizeof(text)),
		-ETIMEDOUT);
	assert_true(now_mono() >= until);
	assert_string_equal(text, "on on on on on ");
	assert_int_equal(bounded_ms(10000, 0), 10000);
	assert_int_equal(bounded_ms(10000, until), 0);
	assert_int_equal(bounded_ms(10, now_mono() + NS_PER_S), 10);
}

static void a_child_that_fails_has_no_result(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(bounded_text(10000, 0, says_and_fails, "half", text, sizeof(text)), -EIO);
}

/* ---- which unit an agent's cgroup belongs to ---- */

static void the_innermost_unit_of_a_cgroup(void **state)
{
	static const struct {
		const char *cgroup, *unit, *unit_cgroup;
	} rows[] = {
		{ "/system.slice/mesos-slave.service", "mesos-slave.service",
		  "/system.slice/mesos-slave.service" },
		{ "/system.slice/a.service/sub/x", "a.service", "/system.slice/a.service" },
		{ "/system.slice/docker-1.scope/system.slice/a.service", "a.service",
		  "/system.slice/docker-1.scope/system.slice/a.service" },
		{ "/system.slice/docker-1.scope", "docker-1.scope",
		  "/system.slice/docker-1.scope" },
		{ "/user.slice/user-0.slice/user@0.service/app.slice/a.service", "a.service",
		  "/user.slice/user-0.slice/user@0.service/app.slice/a.service" },
		{ "/user.slice/user-0.slice/session-3.scope", NULL, NULL },
		{ "/user.slice/user-0.slice/user@0.service/app.slice/run-1.scope", NULL, NULL },
		{ "/user.slice/user-0.slice/user@0.service/init.scope", NULL, NULL },
		{ "/user.slice/user-0.slice/user@0.service", NULL, NULL },
		{ "/init.scope", NULL, NULL },
		{ "/mesos_executors.slice", NULL, NULL },
		{ "/", NULL, NULL },
		{ "", NULL, NULL },
		{ "/.service", NULL, NULL },
	};
	char unit_cgroup[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *unit = service_unit_of(rows[i].cgroup, unit_cgroup);

		if (!unit != !rows[i].unit || (unit && strcmp(unit, rows[i].unit) != 0))
			fail_msg("'%s': '%s'", rows[i].cgroup, unit ? unit : "none");
		if (unit)
			assert_string_equal(unit_cgroup, rows[i].unit_cgroup);
	}
}

/* The work can be followed byte by byte while it goes on. */
static void a_child_at_work(void **state)
{
	struct bounded child;

	(void)state;
	assert_int_equal(bounded_begin(&child, says_and_hangs, "ab"), 0);
	assert_int_equal(bounded_byte(&child, 10000), 'a');
	assert_int_equal(bounded_byte(&child, 10000), 'b');
	assert_int_equal(bounded_byte(&child, 10), -ETIMEDOUT);
	bounded_drop(&child);
	assert_int_equal(child.pid, 0);
	assert_int_equal(bounded_begin(&child, says, ""), 0);
	assert_int_equal(bounded_byte(&child, 10000), -EPIPE);
	bounded_drop(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_result_of_a_child_is_handed_over),
		cmocka_unit_test(a_child_that_says_no_more_is_abandoned),
		cmocka_unit_test(a_child_that_never_ends_is_abandoned),
		cmocka_unit_test(a_child_that_fails_has_no_result),
		cmocka_unit_test(a_child_at_work),
		cmocka_unit_test(the_innermost_unit_of_a_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

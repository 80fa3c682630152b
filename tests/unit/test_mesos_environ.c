/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The environment an agent gives its executors, and what others carry of it. */
#include "mesos_data.h"

#include "base/addr.h"
#include "mesos/environ.h"

#define MINUTE 60000000000LL

/* A literal with NULs in it, without the one at its end. */
#define ENV(text) mesos_span_at(text, sizeof(text) - 1)

static struct mesos_env parse(struct mesos_span bytes)
{
	struct mesos_env env;

	memset(&env, 0x5a, sizeof(env));
	mesos_env_parse(bytes.p, bytes.len, &env);
	return env;
}

static bool is_executors(const struct mesos_env *env)
{
	const uint32_t all = MESOS_ENV_SLAVE_PID | MESOS_ENV_FRAMEWORK_ID | MESOS_ENV_EXECUTOR_ID;

	return (env->seen & all) == all;
}

static void real_executor(void **state)
{
	struct mesos_span bytes = data_read(DATA "environ/proc-web-2-executor");
	struct mesos_env env = parse(bytes);
	char buf[ADDR_TEXT_MAX];

	(void)state;
	assert_true(is_executors(&env));
	assert_false(env.truncated);
	assert_int_equal(env.bad, 0);
	assert_string_equal(env.slave_pid_text.p, "slave(1)@127.0.0.1:5051");
	assert_span(env.slave_pid.id, "slave(1)");
	assert_string_equal(addr_text(&env.slave_pid.addr, buf), "127.0.0.1:5051");
	assert_string_equal(addr_text(&env.agent_endpoint, buf), "127.0.0.1:5051");
	assert_string_equal(env.slave_id.p, "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0");
	assert_string_equal(env.framework_id.p, "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000");
	assert_string_equal(env.executor_id.p, "web");
	assert_string_equal(env.container_id.p, "70c332d8-b506-4f13-a492-4cd514dc0924");
	assert_true(env.checkpoint);
	assert_int_equal(env.recovery_timeout_ns, 15 * MINUTE);
	assert_false(env.recovery_timeout_default);
	assert_int_equal(env.shutdown_grace_ns, 5000000000LL);
	assert_int_equal(env.backoff_max_ns, 2000000000LL);
	assert_false(env.http_command_executor);
	assert_false(env.tls);
	assert_null(env.domain_socket.p);
	assert_string_equal(env.native_library.p, "/usr/local/lib/libmesos-1.12.0.so");
	assert_string_equal(env.libprocess_ip.p, "127.0.0.1");
	data_free(bytes);
}

static void real_v1_executor(void **state)
{
	struct mesos_span bytes = data_read(DATA "environ/proc-v1-web-2-executor");
	struct mesos_env env = parse(bytes);

	(void)state;
	assert_true(is_executors(&env));
	assert_true(env.http_command_executor);
	data_free(bytes);
}

/* Tasks inherit the executor's environment; the containerizer and the agent have their own. */
static void real_kinds(const char *path, struct mesos_span bytes)
{
	struct mesos_env env = parse(bytes);
	bool inherits =
		strstr(path, "-executor") || strstr(path, "-task") || strstr(path, "-child");

	if (is_executors(&env) != inherits)
		fail_msg("%s", path);
	assert_int_equal(env.containerizer, strstr(path, "-containerizer") != NULL);
}

static void all_real(void **state)
{
	(void)state;
	data_each(DATA "environ/*", 12, real_kinds);
}

/* Cut anywhere, no value is handed out that is not whole. */
static void truncated(void **state)
{
	struct mesos_span bytes = data_read(DATA "environ/proc-web-2-executor");
	struct mesos_env whole = parse(bytes);

	(void)state;
	for (size_t n = 0; n < bytes.len; n++) {
		struct mesos_span cut = data_copy(bytes.p, n);
		struct mesos_env env = parse(cut);

		assert_int_equal(env.truncated, n > 0 && cut.p[n - 1] != '\0');
		assert_int_equal(env.seen & ~whole.seen, 0);
		if (env.executor_id.p)
			assert_span(env.executor_id, "web");
		if (env.directory.p)
			assert_true(data_equal(env.directory, whole.directory));
		if (env.checkpoint && env.recovery_timeout_default)
			assert_false(env.seen & MESOS_ENV_RECOVERY_TIMEOUT);
		data_free(cut);
	}
	data_free(bytes);
}

static void first_wins(void **state)
{
	struct mesos_env env = parse(ENV("MESOS_EXECUTOR_ID=a\0MESOS_EXECUTOR_ID=b\0"
					 "MESOS_CHECKPOINT=0\0MESOS_CHECKPOINT=1\0"));

	(void)state;
	assert_span(env.executor_id, "a");
	assert_false(env.checkpoint);
}

/* os::eraseenv() leaves zeros where a value was. */
static void erased(void **state)
{
	struct mesos_env env =
		parse(ENV("A=1\0MESOS_EXECUTOR_AUTHENTICATION_TOKEN=\0\0\0\0\0\0\0\0\0\0"
			  "MESOS_EXECUTOR_ID=x\0\0\0"));

	(void)state;
	assert_span(env.executor_id, "x");
	assert_false(env.truncated);
}

static void weird_values(void **state)
{
	struct mesos_env env = parse(ENV("=x\0nothing\0MESOS_EXECUTOR_ID=a b'\"\n$(rm)=\xc3\xa9\0"
					 "XMESOS_SLAVE_ID=no\0MESOS_SLAVE_IDX=no\0"
					 "MESOS_FRAMEWORK_ID=\0MESOS_SLAVE_PID=slave(1)@nowhere\0"
					 "MESOS_SUBSCRIPTION_BACKOFF_MAX=2 secs\0"));

	(void)state;
	assert_span(env.executor_id, "a b'\"\n$(rm)=\xc3\xa9");
	assert_null(env.slave_id.p);
	assert_span(env.framework_id, "");
	assert_span(env.slave_pid_text, "slave(1)@nowhere");
	assert_int_equal(env.bad, MESOS_ENV_SLAVE_PID | MESOS_ENV_BACKOFF_MAX);
	assert_int_equal(env.slave_pid.addr.port, 0);
	assert_int_equal(env.backoff_max_ns, 0);
	assert_true(is_executors(&env));
}

static void checkpoint_is_one(void **state)
{
	static const char *const off[] = { "0", "", "true", "11", "1 ", "yes" };

	(void)state;
	for (size_t i = 0; i < sizeof(off) / sizeof(*off); i++) {
		char buf[64];
		int n = snprintf(buf, sizeof(buf), "MESOS_CHECKPOINT=%s", off[i]) + 1;
		struct mesos_env env = parse(mesos_span_at(buf, (size_t)n));

		assert_false(env.checkpoint);
		assert_int_equal(env.seen, MESOS_ENV_CHECKPOINT);
		assert_int_equal(env.recovery_timeout_ns, 0);
	}
}

static void recovery_timeout(void **state)
{
	struct mesos_env env = parse(ENV("MESOS_CHECKPOINT=1\0"));

	(void)state;
	assert_int_equal(env.recovery_timeout_ns, 15 * MINUTE);
	assert_true(env.recovery_timeout_default);
	env = parse(ENV("MESOS_RECOVERY_TIMEOUT=1days\0MESOS_CHECKPOINT=1\0"));
	assert_int_equal(env.recovery_timeout_ns, 24 * 60 * MINUTE);
	assert_false(env.recovery_timeout_default);
	env = parse(ENV("MESOS_RECOVERY_TIMEOUT=soon\0MESOS_CHECKPOINT=1\0"));
	assert_int_equal(env.recovery_timeout_ns, 15 * MINUTE);
	assert_true(env.recovery_timeout_default);
	assert_int_equal(env.bad, MESOS_ENV_RECOVERY_TIMEOUT);
	env = parse(ENV("MESOS_RECOVERY_TIMEOUT=1days\0MESOS_CHECKPOINT=0\0"));
	assert_int_equal(env.recovery_timeout_ns, 0);
}

static void container_ids(void **state)
{
	struct mesos_env env = parse(ENV("MESOS_DIRECTORY=/a/runs/c 1//\0"));

	(void)state;
	assert_span(env.container_id, "c 1");
	env = parse(ENV("MESOS_DIRECTORY=///\0"));
	assert_null(env.container_id.p);
	env = parse(ENV("MESOS_DIRECTORY=c\0"));
	assert_span(env.container_id, "c");
}

static void tls(void **state)
{
	struct mesos_env env = parse(ENV("LIBPROCESS_SSL_ENABLED=false\0SSL_ENABLED=1\0"
					 "LIBPROCESS_SSL_SUPPORT_DOWNGRADE=true\0"));

	(void)state;
	assert_true(env.tls);
	assert_true(env.tls_downgrade);
	env = parse(ENV("LIBPROCESS_SSL_ENABLED=0\0"));
	assert_false(env.tls);
}

static void others(void **state)
{
	struct mesos_env env = parse(ENV("MESOS_LOCAL=\0MESOS_DOMAIN_SOCKET=/run/a.sock\0"));

	(void)state;
	assert_true(env.local);
	assert_span(env.domain_socket, "/run/a.sock");
	env = parse(ENV("MESOS_CONTAINERIZER_HELP=false\0"));
	assert_true(env.containerizer);
	assert_int_equal(env.seen, MESOS_ENV_CONTAINERIZER);
	env = parse(mesos_span_of(NULL));
	assert_int_equal(env.seen, 0);
	assert_false(env.truncated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_executor),
		cmocka_unit_test(real_v1_executor),
		cmocka_unit_test(all_real),
		cmocka_unit_test(truncated),
		cmocka_unit_test(first_wins),
		cmocka_unit_test(erased),
		cmocka_unit_test(weird_values),
		cmocka_unit_test(checkpoint_is_one),
		cmocka_unit_test(recovery_timeout),
		cmocka_unit_test(container_ids),
		cmocka_unit_test(tls),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

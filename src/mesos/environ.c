/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/environ.h"

#include <string.h>

#include "mesos/duration.h"

/* exec/constants.hpp RECOVERY_TIMEOUT. */
#define V0_RECOVERY_TIMEOUT_NS (15 * 60 * 1000000000LL)

static bool text_read(struct mesos_span value, void *to)
{
	*(struct mesos_span *)to = value;
	return true;
}

static bool upid_read(struct mesos_span value, void *to)
{
	return mesos_upid_parse(value, to) == 0;
}

static bool endpoint_read(struct mesos_span value, void *to)
{
	return mesos_endpoint_parse(value, to) == 0;
}

static bool duration_read(struct mesos_span value, void *to)
{
	return mesos_duration_parse(value, to) == 0;
}

/* As the driver does: anything but "1" is off. */
static bool one_read(struct mesos_span value, void *to)
{
	*(bool *)to = mesos_span_is(value, "1");
	return true;
}

/* libprocess' flags take both ways of saying yes; each of two names can say it. */
static bool flag_read(struct mesos_span value, void *to)
{
	*(bool *)to |= mesos_span_is(value, "1") || mesos_span_is(value, "true");
	return true;
}

static bool present_read(struct mesos_span value, void *to)
{
	(void)value;
	*(bool *)to = true;
	return true;
}

static const struct var {
	const char *name;
	enum mesos_env_var bit;
	bool (*read)(struct mesos_span value, void *to);
	size_t at;
} vars[] = {
#define AT(field) offsetof(struct mesos_env, field)
	{ "MESOS_SLAVE_PID", MESOS_ENV_SLAVE_PID, upid_read, AT(slave_pid) },
	{ "MESOS_AGENT_ENDPOINT", MESOS_ENV_AGENT_ENDPOINT, endpoint_read, AT(agent_endpoint) },
	{ "MESOS_SLAVE_ID", MESOS_ENV_SLAVE_ID, text_read, AT(slave_id) },
	{ "MESOS_FRAMEWORK_ID", MESOS_ENV_FRAMEWORK_ID, text_read, AT(framework_id) },
	{ "MESOS_EXECUTOR_ID", MESOS_ENV_EXECUTOR_ID, text_read, AT(executor_id) },
	{ "MESOS_DIRECTORY", MESOS_ENV_DIRECTORY, text_read, AT(directory) },
	{ "MESOS_SANDBOX", MESOS_ENV_SANDBOX, text_read, AT(sandbox) },
	{ "MESOS_CHECKPOINT", MESOS_ENV_CHECKPOINT, one_read, AT(checkpoint) },
	{ "MESOS_RECOVERY_TIMEOUT", MESOS_ENV_RECOVERY_TIMEOUT, duration_read,
	  AT(recovery_timeout_ns) },
	{ "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", MESOS_ENV_SHUTDOWN_GRACE, duration_read,
	  AT(shutdown_grace_ns) },
	{ "MESOS_SUBSCRIPTION_BACKOFF_MAX", MESOS_ENV_BACKOFF_MAX, duration_read,
	  AT(backoff_max_ns) },
	{ "MESOS_HTTP_COMMAND_EXECUTOR", MESOS_ENV_HTTP_COMMAND_EXECUTOR, one_read,
	  AT(http_command_executor) },
	{ "MESOS_DOMAIN_SOCKET", MESOS_ENV_DOMAIN_SOCKET, text_read, AT(domain_socket) },
	{ "MESOS_NATIVE_LIBRARY", MESOS_ENV_NATIVE_LIBRARY, text_read, AT(native_library) },
	{ "LIBPROCESS_SSL_ENABLED", MESOS_ENV_TLS, flag_read, AT(tls) },
	{ "SSL_ENABLED", MESOS_ENV_TLS_OLD, flag_read, AT(tls) },
	{ "LIBPROCESS_SSL_SUPPORT_DOWNGRADE", MESOS_ENV_TLS_DOWNGRADE, flag_read,
	  AT(tls_downgrade) },
	{ "SSL_SUPPORT_DOWNGRADE", MESOS_ENV_TLS_OLD_DOWNGRADE, flag_read, AT(tls_downgrade) },
	{ "LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH", MESOS_ENV_PEER_MATCH, flag_read,
	  AT(peer_match) },
	{ "LIBPROCESS_IP", MESOS_ENV_LIBPROCESS_IP, text_read, AT(libprocess_ip) },
	{ "MESOS_LOCAL", MESOS_ENV_LOCAL, present_read, AT(local) },
#undef AT
};

static const struct var *var_find(struct mesos_span name)
{
	for (size_t i = 0; i < sizeof(vars) / sizeof(*vars); i++)
		if (mesos_span_is(name, vars[i].name))
			return &vars[i];
	return NULL;
}

static void var_put(struct mesos_env *env, struct mesos_span name, struct mesos_span value)
{
	const struct var *var = var_find(name);

	if (!var) {
		if (mesos_span_take(&name, "MESOS_CONTAINERIZER_")) {
			env->seen |= MESOS_ENV_CONTAINERIZER;
			env->containerizer = true;
		}
		return;
	}
	if (env->seen & var->bit)
		return;
	env->seen |= var->bit;
	if (!var->read(value, (char *)env + var->at))
		env->bad |= var->bit;
	if (var->bit == MESOS_ENV_SLAVE_PID)
		env->slave_pid_text = value;
}

/* What follows from the values together. */
static void env_finish(struct mesos_env *env)
{
	struct mesos_span directory = env->directory;

	while (directory.len && directory.p[directory.len - 1] == '/')
		directory.len--;
	if (directory.len)
		env->container_id = mesos_span_last(directory, '/');
	if (!env->checkpoint) {
		env->recovery_timeout_ns = 0;
	} else if (!(env->seen & ~env->bad & MESOS_ENV_RECOVERY_TIMEOUT)) {
		env->recovery_timeout_ns = V0_RECOVERY_TIMEOUT_NS;
		env->recovery_timeout_default = true;
	}
}

void mesos_env_parse(const void *bytes, size_t len, struct mesos_env *env)
{
	struct mesos_span rest = mesos_span_at(bytes, len);
	struct mesos_span item, name;

	memset(env, 0, sizeof(*env));
	while (mesos_span_cut(&rest, '\0', &item))
		if (mesos_span_cut(&item, '=', &name))
			var_put(env, name, item);
	env->truncated = rest.len > 0;
	env_finish(env);
}

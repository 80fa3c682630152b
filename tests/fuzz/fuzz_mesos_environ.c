/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /proc/PID/environ of anybody. */
#include "mesos_fuzz.h"

#include "mesos/environ.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesos_env env;

	mesos_env_parse(data, size, &env);
	const struct mesos_span spans[] = {
		env.slave_pid_text, env.slave_id,  env.framework_id,
		env.executor_id,    env.directory, env.domain_socket,
		env.native_library, env.sandbox,   env.libprocess_ip,
	};

	for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		must_lie_in(spans[i], data, size);
		must(!spans[i].p || strlen(spans[i].p) == spans[i].len);
	}
	must_lie_in(env.container_id, data, size);
	must((env.bad & ~env.seen) == 0);
	must(env.recovery_timeout_ns >= 0 && env.backoff_max_ns >= 0);
	must(env.checkpoint || !env.recovery_timeout_ns);
	must(env.truncated == (size > 0 && data[size - 1] != '\0'));
	return 0;
}

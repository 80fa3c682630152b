/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/event_source_ops.h"
#include "observe/nobpf.h"

static void source_free(void *impl)
{
	nobpf_free(impl);
}

static int source_fd(const void *impl)
{
	return nobpf_fd(impl);
}

static void source_dispatch(void *impl, const struct fact_sink *sink)
{
	nobpf_dispatch(impl, sink);
}

static int source_follow(void *impl, int32_t pid, uint64_t start, bool agent, struct error *error)
{
	return nobpf_add_process(impl, pid, start, agent ? NOBPF_ROLE_AGENT : NOBPF_ROLE_EXECUTOR,
				 error);
}

static bool source_counters(void *impl, bool all, const struct fact_sink *sink)
{
	return nobpf_counters(impl, all, sink);
}

static int source_set_ports(void *impl, const struct agent_ports *ports)
{
	return nobpf_set_ports(impl, ports);
}

const struct event_source_ops event_source_nobpf = {
	.free = source_free,
	.fd = source_fd,
	.dispatch = source_dispatch,
	.follow = source_follow,
	.counters = source_counters,
	.set_ports = source_set_ports,
};

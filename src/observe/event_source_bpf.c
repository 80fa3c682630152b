/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/observer.h"
#include "observe/event_source_ops.h"

static void source_free(void *impl)
{
	ew_bpf_free(impl);
}

static int source_fd(const void *impl)
{
	return ew_bpf_fd(impl);
}

static void source_dispatch(void *impl, const struct fact_sink *sink)
{
	ew_bpf_dispatch(impl, sink);
}

static int source_follow(void *impl, int32_t pid, uint64_t start, bool agent, struct error *error)
{
	return ew_bpf_add_process(impl, pid, start,
				  agent ? EW_BPF_ROLE_AGENT : EW_BPF_ROLE_EXECUTOR, error);
}

static bool source_counters(void *impl, bool all, const struct fact_sink *sink)
{
	return ew_bpf_counters(impl, all, sink);
}

static bool source_resumed(const void *impl)
{
	return ew_bpf_resumed(impl);
}

static bool source_kept(const void *impl)
{
	return ew_bpf_kept(impl);
}

static void source_poll_throttled(void *impl)
{
	ew_bpf_poll_throttled(impl);
}

static void source_flush_if_large(void *impl, const struct fact_sink *sink)
{
	ew_bpf_flush_if_large(impl, sink);
}

static void source_ports(const void *impl, struct agent_ports *ports)
{
	ew_bpf_ports(impl, ports);
}

static int source_set_ports(void *impl, const struct agent_ports *ports)
{
	return ew_bpf_set_ports(impl, ports);
}

static int source_scan(void *impl, const struct fact_sink *sink, struct error *error)
{
	return ew_bpf_scan(impl, sink, error);
}

const struct event_source_ops event_source_bpf = {
	.free = source_free,
	.fd = source_fd,
	.dispatch = source_dispatch,
	.follow = source_follow,
	.counters = source_counters,
	.resumed = source_resumed,
	.kept = source_kept,
	.poll_throttled = source_poll_throttled,
	.flush_if_large = source_flush_if_large,
	.ports = source_ports,
	.set_ports = source_set_ports,
	.scan = source_scan,
};

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/event_source.h"

#include <errno.h>
#include <stdlib.h>

#include "base/agent_ports.h"
#include "base/error.h"
#include "observe/bpf/observer.h"
#include "observe/event_source_ops.h"
#include "observe/nobpf.h"

struct event_source {
	const struct event_source_ops *ops;
	void *impl;
};

static int bpf_open(struct event_source *source, const struct ew_bpf_options *options,
		    const struct fact_sink *sink, struct error *error)
{
	struct ew_bpf *bpf;
	int err = ew_bpf_open(options, sink, &bpf, error);

	if (!err)
		*source = (struct event_source){ &event_source_bpf, bpf };
	return err;
}

static int nobpf_source_open(struct event_source *source, const struct nobpf_options *options,
			     const struct fact_sink *sink, struct error *error)
{
	struct nobpf *nobpf;
	int err = nobpf_open(options, sink, &nobpf, error);

	if (!err)
		*source = (struct event_source){ &event_source_nobpf, nobpf };
	return err;
}

int event_source_open(const struct ew_bpf_options *bpf, uint16_t agent_port, const char *reason,
		      const struct fact_sink *sink, struct event_source **ret,
		      struct error *without, struct error *error)
{
	struct nobpf_options nobpf = { .agent_port = agent_port, .reason = reason };
	struct event_source *source = calloc(1, sizeof(*source));
	char text[sizeof(without->message) + sizeof(without->cure) + 128];
	int err;

	if (!source)
		return error_set(error, -ENOMEM, NULL, "watch processes and connections");
	if (bpf && bpf_open(source, bpf, sink, without) < 0)
		nobpf.reason = error_text(without, text, sizeof(text));
	else /* forget the error of a first attempt that had an alternative */
		*without = (struct error){ 0 };
	if (!source->impl) {
		err = nobpf_source_open(source, &nobpf, sink, error);
		if (err) {
			free(source);
			return err;
		}
	}
	*ret = source;
	return 0;
}

void event_source_free(struct event_source *source)
{
	if (!source)
		return;
	source->ops->free(source->impl);
	free(source);
}

bool event_source_resumed(const struct event_source *source)
{
	return source->ops->resumed && source->ops->resumed(source->impl);
}

bool event_source_kept(const struct event_source *source)
{
	return source->ops->kept && source->ops->kept(source->impl);
}

bool event_source_is_bpf(const struct event_source *source)
{
	return source->ops == &event_source_bpf;
}

int event_source_fd(const struct event_source *source)
{
	return source->ops->fd(source->impl);
}

void event_source_dispatch(struct event_source *source, const struct fact_sink *sink)
{
	source->ops->dispatch(source->impl, sink);
}

void event_source_poll_throttled(void *source)
{
	const struct event_source *from = source;

	if (from->ops->poll_throttled)
		from->ops->poll_throttled(from->impl);
}

void event_source_flush_if_large(void *source, const struct fact_sink *sink)
{
	const struct event_source *from = source;

	if (from->ops->flush_if_large)
		from->ops->flush_if_large(from->impl, sink);
}

int event_source_follow(struct event_source *source, int32_t pid, uint64_t start, bool agent,
			struct error *error)
{
	return source->ops->follow(source->impl, pid, start, agent, error);
}

void event_source_ports(const struct event_source *source, struct agent_ports *ports)
{
	struct agent_ports known = { { 0 } };

	if (source->ops->ports)
		source->ops->ports(source->impl, &known);
	for (int i = 1; i < AGENT_PORTS_MAX; i++)
		agent_ports_add(ports, known.v[i]);
}

int event_source_set_ports(struct event_source *source, const struct agent_ports *ports)
{
	return source->ops->set_ports(source->impl, ports);
}

int event_source_scan(void *source, const struct fact_sink *sink, struct error *error)
{
	const struct event_source *from = source;

	if (!from->ops->scan)
		return error_set(error, -ENOTSUP, NULL, "scan descriptors without BPF");
	return from->ops->scan(from->impl, sink, error);
}

bool event_source_counters(struct event_source *source, bool all, const struct fact_sink *sink)
{
	return source->ops->counters(source->impl, all, sink);
}

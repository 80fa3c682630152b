/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/event_source.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "observe/bpf/observer.h"
#include "observe/nobpf.h"

struct event_source {
	struct ew_bpf *bpf; /* NULL: plain serves */
	struct nobpf *plain;
};

int event_source_open(const struct ew_bpf_options *bpf, uint16_t agent_port, const char *reason,
		      const struct fact_sink *sink, struct event_source **ret,
		      struct error *without, struct error *error)
{
	struct nobpf_options plain = { .agent_port = agent_port, .reason = reason };
	struct event_source *source = calloc(1, sizeof(*source));
	char text[sizeof(without->message) + sizeof(without->cure) + 128];
	int err = 0;

	if (!source)
		return error_set(error, -ENOMEM, NULL, "watch processes and connections");
	if (bpf && ew_bpf_open(bpf, sink, &source->bpf, without) < 0) {
		source->bpf = NULL;
		plain.reason = error_text(without, text, sizeof(text));
	} else {
		*without = (struct error){ 0 }; /* what failed on the way had a second choice */
	}
	if (!source->bpf)
		err = nobpf_open(&plain, sink, &source->plain, error);
	if (err) {
		free(source);
		return err;
	}
	*ret = source;
	return 0;
}

void event_source_free(struct event_source *source)
{
	if (!source)
		return;
	ew_bpf_free(source->bpf);
	nobpf_free(source->plain);
	free(source);
}

bool event_source_resumed(const struct event_source *source)
{
	return source->bpf && ew_bpf_resumed(source->bpf);
}

bool event_source_kept(const struct event_source *source)
{
	return source->bpf && ew_bpf_kept(source->bpf);
}

bool event_source_is_bpf(const struct event_source *source)
{
	return source->bpf != NULL;
}

int event_source_fd(const struct event_source *source)
{
	return source->bpf ? ew_bpf_fd(source->bpf) : nobpf_fd(source->plain);
}

void event_source_dispatch(struct event_source *source, const struct fact_sink *sink)
{
	if (source->bpf)
		ew_bpf_dispatch(source->bpf, sink);
	else
		nobpf_dispatch(source->plain, sink);
}

void event_source_poll_throttled(void *source)
{
	const struct event_source *from = source;

	if (from->bpf)
		ew_bpf_poll_throttled(from->bpf);
}

void event_source_flush_if_large(void *source, const struct fact_sink *sink)
{
	const struct event_source *from = source;

	if (from->bpf)
		ew_bpf_flush_if_large(from->bpf, sink);
}

int event_source_follow(struct event_source *source, int32_t pid, uint64_t start, bool agent,
			struct error *error)
{
	if (source->bpf)
		return ew_bpf_add_process(source->bpf, pid, start,
					  agent ? EW_BPF_ROLE_AGENT : EW_BPF_ROLE_EXECUTOR, error);
	return nobpf_add_process(source->plain, pid, start,
				 agent ? NOBPF_ROLE_AGENT : NOBPF_ROLE_EXECUTOR, error);
}

int event_source_scan(void *source, const struct fact_sink *sink, struct error *error)
{
	const struct event_source *from = source;

	return ew_bpf_scan(from->bpf, sink, error);
}

bool event_source_counters(struct event_source *source, bool all, const struct fact_sink *sink)
{
	return source->bpf ? ew_bpf_counters(source->bpf, all, sink)
			   : nobpf_counters(source->plain, all, sink);
}

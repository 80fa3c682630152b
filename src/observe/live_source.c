/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/live_source.h"

#include <errno.h>
#include <stdlib.h>

#include "fail.h"
#include "observe/bpf.h"
#include "observe/plain.h"

struct live_source {
	struct bpf_watch *bpf; /* NULL: plain serves */
	struct plain_watch *plain;
};

int live_source_open(const struct bpf_watch_options *bpf, uint16_t agent_port, const char *reason,
		     const struct fact_sink *sink, struct live_source **ret, struct fail *without,
		     struct fail *why)
{
	struct plain_watch_options plain = { .agent_port = agent_port, .reason = reason };
	struct live_source *source = calloc(1, sizeof(*source));
	char text[sizeof(without->what) + sizeof(without->cure) + 128];
	int err = 0;

	if (!source)
		return fail_set(why, -ENOMEM, NULL, "watch processes and connections");
	if (bpf && bpf_watch_open(bpf, sink, &source->bpf, without) < 0) {
		source->bpf = NULL;
		plain.reason = fail_text(without, text, sizeof(text));
	} else {
		*without = (struct fail){ 0 }; /* what failed on the way had a second choice */
	}
	if (!source->bpf)
		err = plain_watch_open(&plain, sink, &source->plain, why);
	if (err) {
		free(source);
		return err;
	}
	*ret = source;
	return 0;
}

void live_source_free(struct live_source *source)
{
	if (!source)
		return;
	bpf_watch_free(source->bpf);
	plain_watch_free(source->plain);
	free(source);
}

bool live_source_resumed(const struct live_source *source)
{
	return source->bpf && bpf_watch_resumed(source->bpf);
}

bool live_source_kept(const struct live_source *source)
{
	return source->bpf && bpf_watch_kept(source->bpf);
}

bool live_source_is_bpf(const struct live_source *source)
{
	return source->bpf != NULL;
}

int live_source_fd(const struct live_source *source)
{
	return source->bpf ? bpf_watch_fd(source->bpf) : plain_watch_fd(source->plain);
}

void live_source_drain(struct live_source *source, const struct fact_sink *sink)
{
	if (source->bpf)
		bpf_watch_drain(source->bpf, sink);
	else
		plain_watch_drain(source->plain, sink);
}

void live_source_relieve(void *source)
{
	const struct live_source *from = source;

	if (from->bpf)
		bpf_watch_relieve(from->bpf);
}

void live_source_pause(void *source, const struct fact_sink *sink)
{
	const struct live_source *from = source;

	if (from->bpf)
		bpf_watch_pause(from->bpf, sink);
}

int live_source_follow(struct live_source *source, int32_t pid, uint64_t start, bool agent,
		       struct fail *why)
{
	if (source->bpf)
		return bpf_watch_add_process(source->bpf, pid, start,
					     agent ? BPF_ROLE_AGENT : BPF_ROLE_EXECUTOR, why);
	return plain_watch_add_process(source->plain, pid, start,
				       agent ? PLAIN_ROLE_AGENT : PLAIN_ROLE_EXECUTOR, why);
}

int live_source_seed(void *source, const struct fact_sink *sink, struct fail *why)
{
	const struct live_source *from = source;

	return bpf_watch_seed(from->bpf, sink, why);
}

bool live_source_counters(struct live_source *source, bool all, const struct fact_sink *sink)
{
	return source->bpf ? bpf_watch_counters(source->bpf, all, sink)
			   : plain_watch_counters(source->plain, all, sink);
}

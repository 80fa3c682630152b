/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/iter.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "observe/bpf/event_batch.h"
#include "observe/bpf/libbpf.h"

#define READ_SIZE  65536
#define AGENTS_MAX 8

struct ew_iter {
	int program;
	uint32_t *only_tgid;
	uint16_t agent_port;
	int fd;				   /* of the iteration under way; -1: none */
	char *buf;			   /* READ_SIZE bytes; NULL: no scan is under way */
	size_t have;			   /* bytes in it: the front of a record */
	size_t searched;		   /* records of the batch that were searched for agents */
	struct ew_task agents[AGENTS_MAX]; /* whose descriptors have been scanned */
	size_t next_agent;
};

struct ew_iter *ew_iter_new(int program, uint32_t *only_tgid, uint16_t agent_port)
{
	struct ew_iter *iter = calloc(1, sizeof(*iter));

	if (!iter)
		return NULL;
	iter->program = program;
	iter->only_tgid = only_tgid;
	iter->agent_port = agent_port;
	iter->fd = -1;
	return iter;
}

void ew_iter_free(struct ew_iter *iter)
{
	if (!iter)
		return;
	ew_iter_end(iter);
	free(iter);
}

void ew_iter_forget_agents(struct ew_iter *iter)
{
	memset(iter->agents, 0, sizeof(iter->agents));
}

/* Returns a link, which a descriptor of an iteration keeps alive. pid 0: all processes. */
static int link_create(const struct ew_iter *iter, int32_t pid)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	union bpf_iter_link_info info = { 0 };

	info.task.pid = (__u32)pid;
	if (pid) {
		opts.iter_info = &info;
		opts.iter_info_len = sizeof(info);
	}
	return bpf_link_create(iter->program, 0, BPF_TRACE_ITER, &opts);
}

static int iteration_begin(struct ew_iter *iter, int32_t pid)
{
	int link = link_create(iter, pid);

	/* Before 6.1 the kernel visits all processes; the program skips those not asked for. */
	if (pid && (link == -EINVAL || link == -E2BIG || link == -EOPNOTSUPP))
		link = link_create(iter, 0);
	if (link < 0)
		return link;
	*iter->only_tgid = (__u32)pid;
	iter->fd = bpf_iter_create(link);
	close(link);
	iter->have = 0;
	return iter->fd < 0 ? iter->fd : 0;
}

static void iteration_end(struct ew_iter *iter)
{
	if (iter->fd >= 0)
		close(iter->fd);
	iter->fd = -1;
	*iter->only_tgid = 0;
}

int ew_iter_begin(struct ew_iter *iter)
{
	iter->buf = malloc(READ_SIZE);
	iter->searched = 0;
	return iter->buf ? iteration_begin(iter, 0) : -ENOMEM;
}

void ew_iter_end(struct ew_iter *iter)
{
	iteration_end(iter);
	free(iter->buf);
	iter->buf = NULL;
}

/* Adds the whole records at the front of the buffer; the rest is moved there for the next read. */
static int records_add(struct ew_iter *iter, struct event_batch *batch)
{
	struct ew_header header;
	size_t at = 0;
	int err;

	while (iter->have - at >= sizeof(header)) {
		memcpy(&header, iter->buf + at, sizeof(header));
		if (header.size < sizeof(header))
			return -EBADMSG;
		if (header.size > iter->have - at)
			break;
		err = event_batch_add(batch, iter->buf + at, header.size);
		if (err)
			return err;
		at += header.size;
	}
	iter->have -= at;
	memmove(iter->buf, iter->buf + at, iter->have);
	return 0;
}

static bool agent_is_known(struct ew_iter *iter, const struct ew_task *agent)
{
	for (size_t i = 0; i < AGENTS_MAX; i++)
		if (memcmp(&iter->agents[i], agent, sizeof(*agent)) == 0)
			return true;
	iter->agents[iter->next_agent++ % AGENTS_MAX] = *agent;
	return false;
}

/* Begins the iteration of the next agent; 0: there is none. */
static int next_agent_begin(struct ew_iter *iter, const struct event_batch *batch)
{
	const struct ew_header *header;
	int err;

	while ((header = event_batch_at(batch, iter->searched))) {
		const struct ew_scan_socket *row = (const void *)header;

		iter->searched++;
		if (header->type != EW_SCAN_SOCKET || row->state != TCP_LISTEN ||
		    row->ends.lport != iter->agent_port || agent_is_known(iter, &row->holder))
			continue;
		err = iteration_begin(iter, (int32_t)row->holder.tgid);
		return err ? err : 1;
	}
	return 0;
}

int ew_iter_read(struct ew_iter *iter, struct event_batch *batch)
{
	ssize_t n;
	int err;

	do
		n = read(iter->fd, iter->buf + iter->have, READ_SIZE - iter->have);
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return -errno;
	if (n == 0) {
		iteration_end(iter);
		return next_agent_begin(iter, batch);
	}
	iter->have += (size_t)n;
	err = records_add(iter, batch);
	return err ? err : 1;
}

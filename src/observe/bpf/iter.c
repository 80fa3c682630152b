/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/iter.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "observe/bpf/libbpf.h"
#include "observe/bpf/event_decode.h"

#define READ_SIZE 65536

/* Takes the whole records at the front; returns how many bytes they were, or -EBADMSG. */
static ssize_t take(const struct ew_iter *rows, const char *bytes, size_t size)
{
	struct ew_header header;
	size_t at = 0;

	while (size - at >= sizeof(header)) {
		memcpy(&header, bytes + at, sizeof(header));
		if (header.size < sizeof(header))
			return -EBADMSG;
		if (header.size > size - at)
			break;
		rows->take(rows->ctx, bytes + at, header.size);
		at += header.size;
	}
	return (ssize_t)at;
}

/* A read may end in the middle of a record: the rest is kept in front for the next. */
static int read_all(const struct ew_iter *rows, int fd)
{
	char buf[READ_SIZE] __attribute__((aligned(8)));
	size_t have = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, buf + have, sizeof(buf) - have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		have += (size_t)n;
		n = take(rows, buf, have);
		if (n < 0)
			return (int)n;
		have -= (size_t)n;
		memmove(buf, buf + n, have);
	}
}

/* pid 0: every process. */
static int walk(const struct ew_iter *rows, int32_t pid)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	union bpf_iter_link_info info = { 0 };
	int link, fd, err;

	info.task.pid = (__u32)pid;
	if (pid) {
		opts.iter_info = &info;
		opts.iter_info_len = sizeof(info);
	}
	link = bpf_link_create(rows->program, 0, BPF_TRACE_ITER, &opts);
	if (link < 0)
		return link;
	fd = bpf_iter_create(link);
	err = fd < 0 ? fd : read_all(rows, fd);
	if (fd >= 0)
		close(fd);
	close(link);
	return err;
}

/* All TCP sockets of one process. Before 6.1 all are walked over, and most are skipped. */
static int ew_iter_process(const struct ew_iter *rows, int32_t pid)
{
	int err;

	*rows->only = (__u32)pid;
	err = walk(rows, pid);
	if (err == -EINVAL || err == -E2BIG || err == -EOPNOTSUPP)
		err = walk(rows, 0);
	*rows->only = 0;
	return err;
}

static bool agent_is_known(struct ew_iter *rows, const struct ew_task *agent)
{
	for (size_t i = 0; i < EW_ITER_AGENTS_MAX; i++)
		if (memcmp(&rows->agents[i], agent, sizeof(*agent)) == 0)
			return true;
	rows->agents[rows->next_agent++ % EW_ITER_AGENTS_MAX] = *agent;
	return false;
}

static int ew_iter_agents(struct ew_iter *rows)
{
	const struct ew_header *header;
	int err = 0;

	for (size_t i = 0; !err && (header = event_batch_at(rows->batch, i)); i++) {
		const struct ew_seed_socket *row = (const void *)header;

		if (header->type != EW_SEED_SOCKET || row->state != TCP_LISTEN ||
		    row->ends.lport != rows->agent_port)
			continue;
		if (!agent_is_known(rows, &row->holder))
			err = ew_iter_process(rows, (int32_t)row->holder.tgid);
	}
	return err;
}

int ew_iter_run(struct ew_iter *rows)
{
	int err = walk(rows, 0);

	return err ? err : ew_iter_agents(rows);
}

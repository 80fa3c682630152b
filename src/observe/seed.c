/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads the iterator over descriptors. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "observe/bpf_lib.h"
#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/bpf.h"
#include "observe/bpf_priv.h"
#include "observe/cookies.h"
#include "observe/live.h"

#define READ_SIZE 65536

/* Takes the whole records at the front; returns how many bytes they were, or -EBADMSG. */
static ssize_t rows_take(struct bpf_watch *watch, const char *bytes, size_t size)
{
	struct ew_header header;
	size_t at = 0;

	while (size - at >= sizeof(header)) {
		memcpy(&header, bytes + at, sizeof(header));
		if (header.size < sizeof(header))
			return -EBADMSG;
		if (header.size > size - at)
			break;
		bpf_watch_take(watch, bytes + at, header.size);
		at += header.size;
	}
	return (ssize_t)at;
}

/* A read may end in the middle of a record: the rest is kept in front for the next. */
static int rows_read(struct bpf_watch *watch, int fd)
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
		n = rows_take(watch, buf, have);
		if (n < 0)
			return (int)n;
		have -= (size_t)n;
		memmove(buf, buf + n, have);
	}
}

/* pid 0: every process. */
static int walk(struct bpf_watch *watch, int32_t pid)
{
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);
	union bpf_iter_link_info info = { 0 };
	struct bpf_link *link;
	int fd, err;

	info.task.pid = (__u32)pid;
	if (pid) {
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
	}
	link = bpf_program__attach_iter(watch->skel->progs.seed_row, &opts);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? -errno : rows_read(watch, fd);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}

/* All TCP sockets of one process. Before 6.1 all are walked over, and most are skipped. */
static int walk_process(struct bpf_watch *watch, int32_t pid)
{
	int err;

	watch->skel->bss->seed_tgid = (__u32)pid;
	err = walk(watch, pid);
	if (err == -EINVAL || err == -E2BIG || err == -EOPNOTSUPP)
		err = walk(watch, 0);
	watch->skel->bss->seed_tgid = 0;
	return err;
}

static bool agent_is_known(struct bpf_watch *watch, const struct ew_task *agent)
{
	for (size_t i = 0; i < BPF_AGENTS_MAX; i++)
		if (memcmp(&watch->agents[i], agent, sizeof(*agent)) == 0)
			return true;
	watch->agents[watch->next_agent++ % BPF_AGENTS_MAX] = *agent;
	return false;
}

/*
 * The walk may have come to an agent's other connections before it came to the listener that shows
 * it to be one: those are walked over again.
 */
static int agents_walk(struct bpf_watch *watch)
{
	const struct ew_header *header;
	int err = 0;

	for (size_t i = 0; !err && (header = live_batch_at(watch->batch, i)); i++) {
		const struct ew_seed_socket *row = (const void *)header;
		struct ew_task holder;

		if (header->type != EW_SEED_SOCKET || row->state != TCP_LISTEN ||
		    row->ends.lport != watch->skel->rodata->agent_port)
			continue;
		holder = row->holder; /* the batch may move */
		if (!agent_is_known(watch, &holder))
			err = walk_process(watch, (int32_t)holder.tgid);
	}
	return err;
}

int bpf_watch_seed(struct bpf_watch *watch, const struct fact_sink *sink, struct fail *why)
{
	uint64_t began = (uint64_t)now_mono();
	int err;

	if (bpf_program__fd(watch->skel->progs.seed_row) < 0)
		return fail_set(why, -ENOTSUP, "use a kernel from 5.8 on",
				"walk over descriptors: this kernel has no iterator task_file");
	err = watch->ground.has_cookie_helper ? 0 : cookies_give(why);
	if (err)
		return err;
	watch->skel->bss->seed_pass++;
	bpf_watch_gather(watch);
	err = walk(watch, 0);
	if (!err)
		err = agents_walk(watch);
	if (!err)
		bpf_conns_sweep(watch, began);
	bpf_watch_gather(watch);
	live_batch_put(watch->batch, sink);
	if (!err)
		return 0;
	return fail_set(why, err, NULL, "walk over the descriptors of all processes");
}

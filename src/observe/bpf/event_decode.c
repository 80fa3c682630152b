/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/event_decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "events.h"
#include "facts.h"
#include "mesos/message.h"
#include "base/array.h"

/* Pages of their own: freed, they are the system's again. */
#define BLOCK_SIZE (256 * 1024)

struct block {
	char *bytes;	 /* records, one after the other, each at a multiple of 8; NULL: freed */
	uint32_t size;	 /* of what is in it */
	uint32_t unread; /* so many of its records have not been put */
};

struct place {
	uint32_t block, at;
};

/*
 * While a large node's agent restarts tens of thousands of records wait, and more come while these
 * are put: the memory of what has been put is let go at once.
 */
struct event_batch {
	struct block *blocks;
	size_t n_blocks, blocks_room;
	struct place *places; /* of the records, in the order they were added */
	size_t n, room;
	size_t size;
	char *spare; /* a block to begin with, or NULL */
};

struct event_batch *event_batch_new(void)
{
	return calloc(1, sizeof(struct event_batch));
}

static void batch_clear(struct event_batch *batch)
{
	for (size_t i = 0; i < batch->n_blocks; i++)
		free(batch->blocks[i].bytes);
	free(batch->blocks);
	free(batch->places);
}

void event_batch_free(struct event_batch *batch)
{
	if (!batch)
		return;
	batch_clear(batch);
	free(batch->spare);
	free(batch);
}

/* 0: no such type. */
static size_t record_size(unsigned int type)
{
	switch (type) {
	case EW_TCP_STATE:
	case EW_TCP_OWNER:
		return sizeof(struct ew_tcp);
	case EW_FORK:
		return sizeof(struct ew_fork);
	case EW_EXEC:
		return sizeof(struct ew_exec);
	case EW_EXIT:
		return sizeof(struct ew_exit);
	case EW_SIGNAL:
		return sizeof(struct ew_signal);
	case EW_MESSAGE:
		return sizeof(struct ew_message);
	case EW_SEED_SOCKET:
		return sizeof(struct ew_seed_socket);
	case EW_SEED_HOLDER:
		return sizeof(struct ew_seed_holder);
	}
	return 0;
}

/*
 * What there is to keep of a record, a multiple of 8; 0: it is none. Of a message it is the part
 * that was sent.
 */
static size_t kept_size(const struct ew_header *header, size_t size)
{
	const struct ew_message *message = (const void *)header;
	size_t kept = header->size;

	if (header->size > size || header->size != record_size(header->type))
		return 0;
	if (header->type == EW_MESSAGE) {
		if (message->len > sizeof(message->bytes))
			return 0;
		kept = offsetof(struct ew_message, bytes) + message->len;
	}
	return (kept + 7) & ~(size_t)7;
}

static char *block_bytes(struct event_batch *batch)
{
	char *bytes = batch->spare ? batch->spare : malloc(BLOCK_SIZE);

	batch->spare = NULL;
	return bytes;
}

/* The block that has room for size more bytes; NULL: no memory. */
static struct block *block_for(struct event_batch *batch, size_t size)
{
	struct block *last = batch->n_blocks ? &batch->blocks[batch->n_blocks - 1] : NULL;
	char *bytes;

	if (last && last->size + size <= BLOCK_SIZE)
		return last;
	if (array_reserve(&batch->blocks, &batch->blocks_room, batch->n_blocks, sizeof(*last)) < 0)
		return NULL;
	bytes = block_bytes(batch);
	if (!bytes)
		return NULL;
	batch->blocks[batch->n_blocks] = (struct block){ .bytes = bytes };
	return &batch->blocks[batch->n_blocks++];
}

int event_batch_add(struct event_batch *batch, const void *record, size_t size)
{
	size_t kept = size < sizeof(struct ew_header) ? 0 : kept_size(record, size);
	struct block *block;

	if (!kept)
		return -EBADMSG;
	if (array_reserve(&batch->places, &batch->room, batch->n, sizeof(*batch->places)) < 0)
		return -ENOMEM;
	block = block_for(batch, kept);
	if (!block)
		return -ENOMEM;
	memcpy(block->bytes + block->size, record, kept);
	batch->places[batch->n++] =
		(struct place){ (uint32_t)(block - batch->blocks), block->size };
	block->size += (uint32_t)kept;
	block->unread++;
	batch->size += kept;
	return 0;
}

size_t event_batch_size(const struct event_batch *batch)
{
	return batch->size;
}

static const struct ew_header *header_at(const struct event_batch *batch, struct place place)
{
	return (const void *)(batch->blocks[place.block].bytes + place.at);
}

const struct ew_header *event_batch_at(const struct event_batch *batch, size_t i)
{
	return i < batch->n ? header_at(batch, batch->places[i]) : NULL;
}

/* By time, then as they came: rows of one descriptor table have no number. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct place *x = a, *y = b;
	const struct ew_header *p = header_at(ctx, *x), *q = header_at(ctx, *y);

	if (p->ktime_ns != q->ktime_ns)
		return p->ktime_ns < q->ktime_ns ? -1 : 1;
	if (p->seq != q->seq)
		return p->seq < q->seq ? -1 : 1;
	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static void ends_facts(const struct ew_ends *ends, struct ew_addr *local, struct ew_addr *remote,
		       uint64_t *netns)
{
	memcpy(local->ip, ends->laddr, sizeof(local->ip));
	memcpy(remote->ip, ends->raddr, sizeof(remote->ip));
	local->port = ends->lport;
	remote->port = ends->rport;
	*netns = ends->netns;
}

static void tcp_emit(const struct ew_tcp *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_TCP;
	fact->tcp.cookie = ev->cookie;
	ends_facts(&ev->ends, &fact->tcp.local, &fact->tcp.remote, &fact->tcp.netns);
	fact->tcp.from = ev->from;
	fact->tcp.to = ev->to;
	fact->tcp.pid = (int32_t)ev->task.tgid;
	fact->tcp.start = ev->task.start_ticks;
	fact_emit(sink, fact);
}

static void fork_emit(const struct ew_fork *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_FORK;
	fact->fork.pid = (int32_t)ev->child.tgid;
	fact->fork.start = ev->child.start_ticks;
	fact->fork.parent = (int32_t)ev->parent.tgid;
	fact_emit(sink, fact);
}

static void exec_emit(const struct ew_exec *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_EXEC;
	fact->exec.pid = (int32_t)ev->task.tgid;
	fact->exec.start = ev->task.start_ticks;
	fact->exec.comm = ev->comm;
	fact->exec.filename = ev->filename;
	fact_emit(sink, fact);
}

static void exit_emit(const struct ew_exit *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_EXIT;
	fact->exit.pid = (int32_t)ev->task.tgid;
	fact->exit.start = ev->task.start_ticks;
	fact->exit.comm = ev->comm;
	fact->exit.status = ev->status;
	fact->exit.signal = ev->signal;
	fact->exit.killer = (int32_t)ev->killer.tgid;
	fact->exit.killer_start = ev->killer.start_ticks;
	fact->exit.killer_comm = ev->killer_comm;
	fact_emit(sink, fact);
}

static void signal_emit(const struct ew_signal *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_SIGNAL;
	fact->signal.pid = (int32_t)ev->target.tgid;
	fact->signal.start = ev->target.start_ticks;
	fact->signal.signal = ev->signal;
	fact->signal.sender = (int32_t)ev->sender.tgid;
	fact->signal.sender_start = ev->sender.start_ticks;
	fact->signal.sender_comm = ev->sender_comm;
	fact_emit(sink, fact);
}

#define ID_MAX 256 /* longer ids of frameworks and executors are not in the bytes anyway */

static void message_emit(const struct ew_message *ev, struct fact *fact,
			 const struct fact_sink *sink)
{
	char name[MESOS_MESSAGE_NAME_MAX], from[ID_MAX], executor_id[ID_MAX], framework_id[ID_MAX];
	struct mesos_message message;

	mesos_message_parse(ev->bytes, ev->len, &message);
	if (message.kind == MESOS_UNKNOWN)
		return;
	mesos_message_name(&message, name);
	fact->type = FACT_MESSAGE;
	fact->message.cookie = ev->cookie;
	fact->message.pid = (int32_t)ev->sender.tgid;
	fact->message.start = ev->sender.start_ticks;
	ends_facts(&ev->ends, &fact->message.local, &fact->message.remote, &fact->message.netns);
	fact->message.name = name;
	fact->message.from = mesos_span_copy(message.from_text, from, sizeof(from));
	fact->message.executor_id =
		mesos_span_copy(message.executor_id, executor_id, sizeof(executor_id));
	fact->message.framework_id =
		mesos_span_copy(message.framework_id, framework_id, sizeof(framework_id));
	fact_emit(sink, fact);
}

static void holder_emit(uint64_t cookie, const struct ew_task *holder, int32_t fd,
			struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_HOLDER;
	fact->holder.cookie = cookie;
	fact->holder.pid = (int32_t)holder->tgid;
	fact->holder.start = holder->start_ticks;
	fact->holder.fd = fd;
	fact_emit(sink, fact);
}

/* The resolution of the coarse clock is one jiffy (kernel/time/posix-timers.c, KTIME_LOW_RES). */
static int64_t jiffy_ns(void)
{
	struct timespec res;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &res) < 0 ? 0 : res.tv_nsec;
}

static void socket_emit(const struct ew_seed_socket *row, struct fact *fact,
			const struct fact_sink *sink)
{
	int64_t jiffy = jiffy_ns();

	fact->type = FACT_SOCKET;
	fact->socket.cookie = row->cookie;
	fact->socket.inode = row->inode;
	ends_facts(&row->ends, &fact->socket.local, &fact->socket.remote, &fact->socket.netns);
	fact->socket.state = row->state;
	fact->socket.idle = row->idle_jiffies < 0 || !jiffy ? -1 : row->idle_jiffies * jiffy;
	fact_emit(sink, fact);
}

static void record_emit(const struct ew_header *header, const struct fact_sink *sink)
{
	const void *record = header;
	const struct ew_seed_socket *row = record;
	const struct ew_seed_holder *holder = record;
	struct fact fact = { .mono = (int64_t)header->ktime_ns };

	switch (header->type) {
	case EW_TCP_STATE:
	case EW_TCP_OWNER:
		return tcp_emit(record, &fact, sink);
	case EW_FORK:
		return fork_emit(record, &fact, sink);
	case EW_EXEC:
		return exec_emit(record, &fact, sink);
	case EW_EXIT:
		return exit_emit(record, &fact, sink);
	case EW_SIGNAL:
		return signal_emit(record, &fact, sink);
	case EW_MESSAGE:
		return message_emit(record, &fact, sink);
	case EW_SEED_SOCKET:
		socket_emit(row, &fact, sink);
		return holder_emit(row->cookie, &row->holder, row->fd, &fact, sink);
	case EW_SEED_HOLDER:
		return holder_emit(holder->cookie, &holder->holder, holder->fd, &fact, sink);
	}
}

/* Its last record has been put: one block is kept for what comes next. */
static void block_return(struct event_batch *batch, struct block *block)
{
	if (batch->spare)
		free(block->bytes);
	else
		batch->spare = block->bytes;
	block->bytes = NULL;
}

void event_batch_put(struct event_batch *batch, const struct fact_sink *sink)
{
	struct event_batch put = *batch;

	*batch = (struct event_batch){ .spare = put.spare };
	if (put.n) /* qsort takes no NULL */
		qsort_r(put.places, put.n, sizeof(*put.places), compare, &put);
	for (size_t i = 0; i < put.n; i++) {
		struct block *block = &put.blocks[put.places[i].block];

		record_emit(header_at(&put, put.places[i]), sink);
		if (--block->unread == 0)
			block_return(batch, block);
	}
	batch_clear(&put);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/event_batch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "events.h"
#include "observe/bpf/event_decode.h"

/* Large enough for malloc() to map: free() then returns the memory to the system. */
#define BLOCK_SIZE (256 * 1024)

struct block {
	char *bytes;	  /* records, each at a multiple of 8; NULL: freed */
	uint32_t size;	  /* bytes in use */
	uint32_t pending; /* number of records that have not been emitted */
};

struct place {
	uint32_t block, at;
};

/*
 * While the agent of a large node restarts, tens of thousands of records wait, and more come while
 * these are emitted: a block is freed as soon as its last record has been emitted.
 */
struct records {
	struct block *blocks;
	size_t n_blocks, blocks_cap;
	struct place *places; /* of the records, in the order they were added */
	size_t n, cap;
	size_t size;
};

struct event_batch {
	struct records added;
	struct records sorted; /* their places by time; those up to next have been emitted */
	size_t next;
	char *first_bytes; /* a block to begin with, or NULL */
};

struct event_batch *event_batch_new(void)
{
	return calloc(1, sizeof(struct event_batch));
}

static void records_clear(struct records *records)
{
	for (size_t i = 0; i < records->n_blocks; i++)
		free(records->blocks[i].bytes);
	free(records->blocks);
	free(records->places);
	*records = (struct records){ 0 };
}

void event_batch_free(struct event_batch *batch)
{
	if (!batch)
		return;
	records_clear(&batch->added);
	records_clear(&batch->sorted);
	free(batch->first_bytes);
	free(batch);
}

/* 0: no such type. */
static size_t record_size(unsigned int type)
{
	switch ((enum ew_event_type)type) {
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
	case EW_SCAN_SOCKET:
		return sizeof(struct ew_scan_socket);
	case EW_SCAN_HOLDER:
		return sizeof(struct ew_scan_holder);
	}
	return 0;
}

/*
 * Bytes to store of a record, a multiple of 8; of a message without the unused end of its buffer.
 * 0: not a valid record.
 */
static size_t stored_size(const struct ew_header *header, size_t size)
{
	const struct ew_message *message = (const void *)header;
	size_t stored = header->size;

	if (header->size > size || header->size != record_size(header->type))
		return 0;
	if (header->type == EW_MESSAGE) {
		if (message->len > sizeof(message->bytes))
			return 0;
		stored = offsetof(struct ew_message, bytes) + message->len;
	}
	return (stored + 7) & ~(size_t)7;
}

static char *block_bytes(struct event_batch *batch)
{
	char *bytes = batch->first_bytes ? batch->first_bytes : malloc(BLOCK_SIZE);

	batch->first_bytes = NULL;
	return bytes;
}

/* A block with space for size more bytes; NULL: no memory. */
static struct block *block_for(struct event_batch *batch, size_t size)
{
	struct records *to = &batch->added;
	struct block *last = to->n_blocks ? &to->blocks[to->n_blocks - 1] : NULL;
	char *bytes;

	if (last && last->size + size <= BLOCK_SIZE)
		return last;
	if (array_reserve(&to->blocks, &to->blocks_cap, to->n_blocks, sizeof(*last)) < 0)
		return NULL;
	bytes = block_bytes(batch);
	if (!bytes)
		return NULL;
	to->blocks[to->n_blocks] = (struct block){ .bytes = bytes };
	return &to->blocks[to->n_blocks++];
}

int event_batch_add(struct event_batch *batch, const void *record, size_t size)
{
	size_t stored = size < sizeof(struct ew_header) ? 0 : stored_size(record, size);
	struct records *to = &batch->added;
	struct block *block;

	if (!stored)
		return -EBADMSG;
	if (array_reserve(&to->places, &to->cap, to->n, sizeof(*to->places)) < 0)
		return -ENOMEM;
	block = block_for(batch, stored);
	if (!block)
		return -ENOMEM;
	memcpy(block->bytes + block->size, record, stored);
	to->places[to->n++] = (struct place){ (uint32_t)(block - to->blocks), block->size };
	block->size += (uint32_t)stored;
	block->pending++;
	to->size += stored;
	return 0;
}

size_t event_batch_size(const struct event_batch *batch)
{
	return batch->added.size;
}

static const struct ew_header *header_at(const struct records *records, struct place place)
{
	return (const void *)(records->blocks[place.block].bytes + place.at);
}

const struct ew_header *event_batch_at(const struct event_batch *batch, size_t i)
{
	const struct records *added = &batch->added;

	return i < added->n ? header_at(added, added->places[i]) : NULL;
}

/* By time, then in the order added: rows of the iterator have no sequence number. */
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

static void sort(struct event_batch *batch)
{
	struct records *sorted = &batch->sorted;

	*sorted = batch->added;
	batch->added = (struct records){ 0 };
	batch->next = 0;
	if (sorted->n) /* qsort takes no NULL */
		qsort_r(sorted->places, sorted->n, sizeof(*sorted->places), compare, sorted);
}

/* Its last record has been emitted. One block is kept for the next records. */
static void block_release(struct event_batch *batch, struct block *block)
{
	if (batch->first_bytes)
		free(block->bytes);
	else
		batch->first_bytes = block->bytes;
	block->bytes = NULL;
}

bool event_batch_emit(struct event_batch *batch, size_t max, const struct fact_sink *sink)
{
	struct records *sorted = &batch->sorted;

	if (!sorted->n)
		sort(batch);
	for (; max && batch->next < sorted->n; max--) {
		struct place place = sorted->places[batch->next++];
		struct block *block = &sorted->blocks[place.block];

		event_emit(header_at(sorted, place), sink);
		if (--block->pending == 0)
			block_release(batch, block);
	}
	if (batch->next < sorted->n)
		return true;
	records_clear(sorted);
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/event_batch.h"

/* Whole pages, also where a page has 64 KiB. One chunk is mapped at a time. */
#define CHUNK_SIZE 65536
#define CHUNKS	   64

/* Layout in the map; EW_ABI is raised when it changes. */
struct chunk {
	uint64_t number;	/* from 1 on; 0: empty */
	uint64_t stored_before; /* number of records ever stored before this chunk */
	uint64_t until_before;	/* the latest time in any of those */
	uint64_t selftests;
	struct ew_counters counted;
	uint32_t used; /* bytes of records */
	uint32_t pad;
	char records[];
};

#define CHUNK_CAP (CHUNK_SIZE - sizeof(struct chunk))

struct ew_bpf_history {
	int fd;
	struct chunk *chunk; /* the newest */
	uint64_t stored;     /* number of records ever stored */
	uint64_t until;	     /* the latest time in any of them */
	struct ew_bpf_history_begin begin;
	size_t last_size; /* of the last record that the execwatch before has stored; 0: none */
	char last[sizeof(struct ew_message)];
};

static void *chunk_map(const struct ew_bpf_history *history, uint64_t number)
{
	off_t at = (off_t)(number % CHUNKS) * CHUNK_SIZE;
	void *chunk = mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, history->fd, at);

	return chunk == MAP_FAILED ? NULL : chunk;
}

static void chunk_clear(struct ew_bpf_history *history, struct chunk *chunk, uint64_t number,
			uint64_t selftests, const struct ew_counters *counted)
{
	__atomic_store_n(&chunk->number, 0, __ATOMIC_RELEASE);
	chunk->stored_before = history->stored;
	chunk->until_before = history->until;
	chunk->selftests = selftests;
	chunk->counted = *counted;
	chunk->used = 0;
	__atomic_store_n(&chunk->number, number, __ATOMIC_RELEASE);
}

/* The next chunk replaces the oldest; if it cannot be mapped, the newest is emptied instead. */
static void chunk_next(struct ew_bpf_history *history, const struct ew_counters *counted)
{
	struct chunk *old = history->chunk;
	struct chunk *next = chunk_map(history, old->number + 1);

	chunk_clear(history, next ? next : old, old->number + !!next, old->selftests, counted);
	if (!next)
		return;
	history->chunk = next;
	munmap(old, CHUNK_SIZE);
}

static void count_stored(struct ew_bpf_history *history, const struct ew_header *record)
{
	history->stored++;
	if (history->until < record->ktime_ns)
		history->until = record->ktime_ns;
}

/* ---- records of an earlier execwatch ---- */

/* An event that was lost just before the first record may be later than all dropped records. */
static uint64_t unknown_until(const struct chunk *chunk)
{
	const struct ew_header *first = (const void *)chunk->records;

	if (!chunk->used || first->ktime_ns <= chunk->until_before)
		return chunk->until_before;
	return first->ktime_ns - 1;
}

/* Records between the chunk before and this one are missing if a chunk could not be mapped. */
static int chunk_load(struct ew_bpf_history *history, const struct chunk *chunk,
		      struct event_batch *batch)
{
	const struct ew_header *record = NULL;
	int err;

	if (chunk->stored_before > history->stored) {
		history->begin.dropped += chunk->stored_before - history->stored;
		history->begin.unknown_until = unknown_until(chunk);
	}
	history->stored = chunk->stored_before;
	for (size_t at = 0; at < chunk->used; at += record->size) {
		record = (const void *)(chunk->records + at);
		err = event_batch_add(batch, record, chunk->used - at);
		if (err)
			return err;
		count_stored(history, record);
	}
	if (record) {
		history->last_size = record->size;
		memcpy(history->last, record, record->size);
	}
	return 0;
}

static const struct chunk *chunk_at(const void *all, uint64_t number)
{
	return (const void *)((const char *)all + number % CHUNKS * CHUNK_SIZE);
}

/* Numbers of the oldest and the newest chunk; 0: none. */
static void chunks_find(const void *all, uint64_t *oldest, uint64_t *newest)
{
	*oldest = *newest = 0;
	for (uint64_t i = 0; i < CHUNKS; i++) {
		uint64_t number = chunk_at(all, i)->number;

		if (number && (!*oldest || number < *oldest))
			*oldest = number;
		if (number > *newest)
			*newest = number;
	}
}

static int chunks_load(struct ew_bpf_history *history, const void *all, struct event_batch *batch)
{
	const struct ew_counters zero = { 0 };
	uint64_t oldest, newest;
	int err = 0;

	chunks_find(all, &oldest, &newest);
	history->chunk = chunk_map(history, newest ? newest : 1);
	if (!history->chunk)
		return -errno;
	if (!newest) {
		chunk_clear(history, history->chunk, 1, 0, &zero);
		return 0;
	}
	history->until = chunk_at(all, oldest)->until_before;
	history->begin.counted = chunk_at(all, oldest)->counted;
	for (uint64_t number = oldest; !err && number <= newest; number++)
		err = chunk_load(history, chunk_at(all, number), batch);
	return err;
}

static int history_load(struct ew_bpf_history *history, struct event_batch *batch)
{
	void *all = mmap(NULL, CHUNKS * CHUNK_SIZE, PROT_READ, MAP_SHARED, history->fd, 0);
	int err;

	if (all == MAP_FAILED)
		return -errno;
	err = chunks_load(history, all, batch);
	munmap(all, CHUNKS * CHUNK_SIZE);
	return err;
}

static void map_path(const char *dir, char *path, size_t size)
{
	snprintf(path, size, "%s/history", dir);
}

/* Returns a descriptor. */
static int map_open(const char *dir)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	char path[512];
	int fd, err;

	map_path(dir, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd >= 0)
		return fd;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "history", sizeof(__u32), CHUNK_SIZE, CHUNKS,
			    &opts);
	if (fd < 0 || bpf_obj_pin(fd, path) == 0)
		return fd < 0 ? -errno : fd;
	err = -errno;
	close(fd);
	return err;
}

int ew_bpf_history_open(const char *dir, struct event_batch *batch, struct ew_bpf_history **ret,
			struct error *error)
{
	struct ew_bpf_history *history = calloc(1, sizeof(*history));
	int err;

	if (!history)
		return error_set(error, -ENOMEM, NULL, "store the records read from the rings");
	history->fd = err = map_open(dir);
	if (err >= 0)
		err = history_load(history, batch);
	if (err < 0) {
		ew_bpf_history_close(history);
		return error_set(error, err, NULL, "store the records read from the rings in '%s'",
				 dir);
	}
	*ret = history;
	return 0;
}

void ew_bpf_history_close(struct ew_bpf_history *history)
{
	if (!history)
		return;
	if (history->chunk)
		munmap(history->chunk, CHUNK_SIZE);
	if (history->fd >= 0)
		close(history->fd);
	free(history);
}

bool ew_bpf_history_exists(const char *dir)
{
	char path[512];

	map_path(dir, path, sizeof(path));
	return access(path, F_OK) == 0;
}

struct ew_bpf_history_begin ew_bpf_history_begin(const struct ew_bpf_history *history)
{
	return history->begin;
}

/* ---- records that this execwatch reads ---- */

/* A killed reader leaves at most one stored record in a ring: records are read one by one. */
static bool is_stored(struct ew_bpf_history *history, const struct ew_header *record)
{
	if (history->last_size != record->size || memcmp(history->last, record, record->size) != 0)
		return false;
	history->last_size = 0;
	return true;
}

bool ew_bpf_history_store(struct ew_bpf_history *history, const struct ew_header *record,
			  const struct ew_counters *counted)
{
	struct chunk *chunk;

	if (is_stored(history, record))
		return false;
	if (record->size > CHUNK_CAP - history->chunk->used)
		chunk_next(history, counted);
	chunk = history->chunk;
	memcpy(chunk->records + chunk->used, record, record->size);
	__atomic_store_n(&chunk->used, chunk->used + record->size, __ATOMIC_RELEASE);
	count_stored(history, record);
	return true;
}

uint64_t ew_bpf_history_selftests(const struct ew_bpf_history *history)
{
	return history->chunk->selftests;
}

void ew_bpf_history_set_selftests(struct ew_bpf_history *history, uint64_t records)
{
	history->chunk->selftests = records;
}

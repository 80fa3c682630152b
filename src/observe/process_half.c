/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/process_half.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/factwire.h"
#include "observe/proc/procfs.h"
#include "observe/snapshot.h"

enum { STACK = 512 * 1024 }; /* bytes; all of it is locked where the program locks its memory */

struct process_half {
	struct procfs *procfs;
	struct procfs *other;
	const struct snapshot *snapshot;
	bool by_links;
	const struct pid_set *odd;
	enum { IDLE, BEGUN, RUNS } state; /* RUNS: in the thread */
	pthread_t thread;
	atomic_bool dropped; /* the thread has to end */

	/* What was read. */
	struct factwire_writer fact;
	char *facts; /* each behind its length */
	size_t len, cap;
	struct procfs_row *rows;
	size_t n_rows, cap_rows;
	int err;
	struct error error;
};

bool process_emit(struct procfs *procfs, const struct procfs_row *row,
		  const struct snapshot *snapshot, bool by_links, const struct fact_sink *sink)
{
	bool closely = !by_links || snapshot_is_linked(snapshot, row->pid);

	return !row->mesos || procfs_emit_row(procfs, closely, sink) != -ESRCH;
}

int process_half_new(struct procfs *other, const struct snapshot *snapshot,
		     struct process_half **ret, struct error *error)
{
	struct process_half *half = calloc(1, sizeof(*half));
	int err;

	if (!half)
		return error_set(error, -ENOMEM, NULL, "read /proc");
	half->other = other;
	half->snapshot = snapshot;
	err = procfs_new(&half->procfs, error);
	if (err < 0) {
		free(half);
		return err;
	}
	procfs_halves(other, half->procfs);
	*ret = half;
	return 0;
}

void process_half_free(struct process_half *half)
{
	if (!half)
		return;
	process_half_drop(half);
	procfs_halves(half->other, NULL);
	procfs_free(half->procfs);
	factwire_writer_clear(&half->fact);
	free(half->facts);
	free(half->rows);
	free(half);
}

/* ---- in the thread ---- */

static int bytes_reserve(struct process_half *half, size_t more)
{
	size_t cap = half->cap ? half->cap : 256 * 1024;
	char *larger;

	while (cap < half->len + more)
		cap *= 2;
	if (cap == half->cap)
		return 0;
	larger = realloc(half->facts, cap);
	if (!larger)
		return -ENOMEM;
	half->facts = larger;
	half->cap = cap;
	return 0;
}

static void keep_fact(void *ctx, const struct fact *fact)
{
	struct process_half *half = ctx;
	int err = factwire_write(&half->fact, fact);

	if (!err)
		err = bytes_reserve(half, sizeof(size_t) + half->fact.len);
	if (err) {
		half->err = half->err ? half->err : err;
		return;
	}
	memcpy(half->facts + half->len, &half->fact.len, sizeof(size_t));
	memcpy(half->facts + half->len + sizeof(size_t), half->fact.bytes, half->fact.len);
	half->len += sizeof(size_t) + half->fact.len;
}

static void keep_row(struct process_half *half, const struct procfs_row *row)
{
	int err = array_reserve(&half->rows, &half->cap_rows, half->n_rows, sizeof(*row));

	if (!err)
		half->rows[half->n_rows++] = *row;
	else
		half->err = half->err ? half->err : err;
}

static void *half_read(void *arg)
{
	struct process_half *half = arg;
	struct fact_sink sink = { .emit = keep_fact, .ctx = half };
	struct procfs_row row;
	int more = procfs_list(half->procfs, &half->error);

	if (!more && half->odd)
		procfs_list_threads(half->procfs, half->odd);
	if (!more)
		while (!atomic_load(&half->dropped) &&
		       (more = procfs_next(half->procfs, &row, &half->error)) > 0)
			if (process_emit(half->procfs, &row, half->snapshot, half->by_links, &sink))
				keep_row(half, &row);
	half->err = half->err ? half->err : more;
	return NULL;
}

/* ---- in the caller ---- */

void process_half_begin(struct process_half *half, bool by_links, const struct pid_set *odd)
{
	pthread_attr_t attr;

	half->by_links = by_links;
	half->odd = odd;
	half->len = half->n_rows = 0;
	half->err = 0;
	half->error = (struct error){ 0 };
	atomic_store(&half->dropped, false);
	half->state = BEGUN;
	if (pthread_attr_init(&attr))
		return;
	if (pthread_attr_setstacksize(&attr, STACK) == 0 &&
	    pthread_create(&half->thread, &attr, half_read, half) == 0)
		half->state = RUNS;
	pthread_attr_destroy(&attr);
}

/* Without a thread it is read here. */
static void half_wait(struct process_half *half)
{
	if (half->state == RUNS)
		pthread_join(half->thread, NULL);
	else if (half->state == BEGUN)
		half_read(half);
	half->state = IDLE;
}

static int facts_emit(const struct process_half *half, const struct fact_sink *sink)
{
	struct factwire_reader reader = { 0 };
	struct fact fact;
	size_t len;
	int err = 0;

	for (size_t at = 0; !err && at < half->len; at += sizeof(len) + len) {
		memcpy(&len, half->facts + at, sizeof(len));
		err = factwire_read(&reader, half->facts + at + sizeof(len), len, &fact);
		if (!err)
			fact_emit(sink, &fact);
	}
	factwire_reader_clear(&reader);
	return err;
}

int process_half_end(struct process_half *half, struct snapshot *snapshot,
		     const struct fact_sink *sink, struct error *error)
{
	int err;

	half_wait(half);
	err = facts_emit(half, sink);
	for (size_t i = 0; i < half->n_rows; i++)
		snapshot_add_row(snapshot, &half->rows[i]);
	half->len = half->n_rows = 0;
	procfs_denied_add(half->other, half->procfs);
	err = half->err ? half->err : err;
	if (!err)
		return 0;
	if (half->error.code) {
		*error = half->error;
		return err;
	}
	return error_set(error, err, NULL, "list /proc to its end");
}

void process_half_drop(struct process_half *half)
{
	if (!half)
		return;
	atomic_store(&half->dropped, true);
	if (half->state == RUNS)
		pthread_join(half->thread, NULL);
	half->state = IDLE;
	half->len = half->n_rows = 0;
	half->err = 0;
}

bool process_half_recheck(struct process_half *half, const struct fact_sink *sink)
{
	return half && procfs_recheck(half->procfs, sink);
}

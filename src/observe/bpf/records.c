/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/records.h"

#include <stdlib.h>

#include "observe/bpf/counters.h"
#include "observe/bpf/event_batch.h"
#include "observe/bpf/libbpf.h"

struct ew_bpf_records {
	int exits_map, counters_map;
	struct event_batch *batch;
	struct ew_bpf_history *history; /* NULL: none */
	struct ew_bpf_selftest_seen selftest;
	uint64_t selftests;	   /* records of all self-tests, since the maps were created */
	uint64_t dropped;	   /* for lack of memory */
	struct ew_counters before; /* includes no event that the present reading consumes */
	struct ew_counters now;	   /* the same for the next reading */
};

struct ew_bpf_records *ew_bpf_records_new(const struct execwatch_bpf *skel)
{
	struct ew_bpf_records *records = calloc(1, sizeof(*records));

	if (!records)
		return NULL;
	records->exits_map = bpf_map__fd(skel->maps.exits);
	records->counters_map = bpf_map__fd(skel->maps.counters);
	records->batch = event_batch_new();
	if (records->batch)
		return records;
	free(records);
	return NULL;
}

void ew_bpf_records_free(struct ew_bpf_records *records)
{
	if (!records)
		return;
	ew_bpf_history_close(records->history);
	event_batch_free(records->batch);
	free(records);
}

int ew_bpf_records_keep_history(struct ew_bpf_records *records, const char *dir,
				struct error *error)
{
	int err = ew_bpf_history_open(dir, records->batch, &records->history, error);

	if (err)
		return err;
	records->selftests = ew_bpf_history_selftests(records->history);
	records->before = ew_bpf_history_begin(records->history).counted;
	return 0;
}

struct ew_bpf_history_begin ew_bpf_records_begin(const struct ew_bpf_records *records)
{
	if (!records->history)
		return (struct ew_bpf_history_begin){ 0 };
	return ew_bpf_history_begin(records->history);
}

/*
 * The rings are read to their ends: what one reading consumes has happened after the reading before
 * began, and so after what had been counted by then.
 */
void ew_bpf_records_read_begins(struct ew_bpf_records *records)
{
	records->now = records->before;
	if (records->history)
		ew_bpf_records_counters(records, &records->now);
}

void ew_bpf_records_read_ends(struct ew_bpf_records *records)
{
	records->before = records->now;
}

/* Does the record belong to the self-test that runs? */
static bool selftest_notes(struct ew_bpf_selftest_seen *test, const struct ew_header *header)
{
	const struct ew_fork *fork = (const void *)header;
	const struct ew_exit *exit = (const void *)header;

	if (!test->parent)
		return false;
	if (header->type == EW_FORK && fork->parent.tgid == test->parent) {
		test->forked = true;
		test->child = fork->child;
		return true;
	}
	if (header->type == EW_EXIT && test->forked && exit->task.tgid == test->child.tgid &&
	    exit->task.start_ticks == test->child.start_ticks) {
		test->exited = true;
		return true;
	}
	return false;
}

static void selftest_count(struct ew_bpf_records *records)
{
	records->selftests++;
	if (records->history)
		ew_bpf_history_set_selftests(records->history, records->selftests);
}

/* The exit was read: the map need not keep it. */
static void exit_delete(const struct ew_bpf_records *records, const struct ew_exit *ev)
{
	struct ew_exit_key key = { .tgid = ev->task.tgid, .start_ticks = ev->task.start_ticks };

	bpf_map_delete_elem(records->exits_map, &key);
}

void ew_bpf_records_consume(struct ew_bpf_records *records, const void *record, size_t size)
{
	const struct ew_header *header = record;

	if (selftest_notes(&records->selftest, header))
		selftest_count(records);
	else if ((!records->history ||
		  ew_bpf_history_store(records->history, header, &records->before)) &&
		 event_batch_add(records->batch, record, size) < 0)
		records->dropped++;
	if (header->type == EW_EXIT)
		exit_delete(records, record);
}

struct event_batch *ew_bpf_records_batch(struct ew_bpf_records *records)
{
	return records->batch;
}

uint64_t ew_bpf_records_dropped(const struct ew_bpf_records *records)
{
	return records->dropped;
}

bool ew_bpf_records_counters(const struct ew_bpf_records *records, struct ew_counters *sum)
{
	if (!ew_bpf_counters_read(records->counters_map, sum))
		return false;
	sum->life_seen -= records->selftests;
	sum->life_shown -= records->selftests;
	return true;
}

struct ew_bpf_selftest_seen *ew_bpf_records_selftest(struct ew_bpf_records *records)
{
	return &records->selftest;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A RecordIO stream in one piece and in single bytes: the same records must come out. */
#include "mesos_fuzz.h"

#include "mesos/recordio.h"

#define DATA_MAX 32

struct sum {
	uint64_t hash;
	uint64_t records;
	uint64_t broken;
};

static void record_add(struct sum *sum, const struct mesos_record *record)
{
	must(record->data.len == (record->len < DATA_MAX ? record->len : DATA_MAX));
	for (size_t i = 0; i < record->data.len; i++)
		sum->hash = (sum->hash ^ (uint8_t)record->data.p[i]) * 0x100000001b3ULL;
	sum->hash = (sum->hash ^ record->len) * 0x100000001b3ULL;
	sum->records++;
}

static struct sum run(const uint8_t *data, size_t size, size_t segment)
{
	struct mesos_recordio *recordio = mesos_recordio_new(DATA_MAX);
	struct sum sum = {.hash = 0xcbf29ce484222325ULL};

	must(recordio != NULL);
	for (size_t at = 0; at < size; at += segment) {
		size_t len = size - at < segment ? size - at : segment;
		struct mesos_record record;
		size_t used = 0;

		do {
			used += mesos_recordio_feed(recordio, data + at + used, len - used,
						    &record);
			must(used <= len);
			if (record.kind == MESOS_RECORD_DATA)
				record_add(&sum, &record);
		} while (record.kind == MESOS_RECORD_DATA);
		must(used == len);
		sum.broken = record.kind == MESOS_RECORD_BROKEN;
	}
	mesos_recordio_free(recordio);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole = run(data, size, size + 1);
	struct sum bytewise = run(data, size, 1);

	must(memcmp(&whole, &bytewise, sizeof(whole)) == 0);
	return 0;
}

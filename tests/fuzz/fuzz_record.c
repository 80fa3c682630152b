// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A recording from anywhere. What is taken for a fact has a notation that reads as the same fact.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <stdio.h>

#include "base/factjson.h"
#include "base/error.h"
#include "record/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, const struct fact *fact)
{
	struct factjson_reader *reader = factjson_reader_new();
	json_t *object = factjson_pack(fact);
	char *line = json_dumps(object, JSON_COMPACT);
	struct fact again;
	size_t later;
	json_t *second;

	(void)ctx;
	if (factjson_read(reader, line, strlen(line), &again, &later, NULL) != 0 || later)
		abort();
	second = factjson_pack(&again);
	if (!json_equal(object, second))
		abort();
	json_decref(second);
	json_decref(object);
	free(line);
	factjson_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char header[] = "{\"schema\":\"execwatch.recording/1\",\"tool\":\"0\"}\n";
	struct fact_sink sink = { .emit = check };
	struct recording_counts counts;
	struct error error;
	char path[64];
	int fd = memfd_create("recording", MFD_CLOEXEC);

	/* Most inputs would fail at the first line: every other one gets it for nothing. */
	if (size && data[0] != '{' && write(fd, header, strlen(header)) < 0)
		abort();
	if (write(fd, data, size) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	recording_replay(path, &sink, &counts, &error);
	close(fd);
	return 0;
}

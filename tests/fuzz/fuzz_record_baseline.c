// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A baseline from anywhere: it is read whole or refused whole.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/factjson.h"
#include "base/error.h"
#include "record/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches every field. */
static void check(void *ctx, const struct fact *fact)
{
	size_t *n = ctx;
	json_t *object = factjson_pack(fact);

	if (!object || !*fact->baseline.executor_id)
		abort();
	json_decref(object);
	(*n)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t put = 0, n = 0;
	struct fact_sink sink = { .emit = check, .ctx = &put };
	struct error error;
	char path[64];
	int fd = memfd_create("baseline", MFD_CLOEXEC);

	if (write(fd, data, size) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (baseline_load(NULL, path, NULL, 1, &sink, &n, &error) < 0 ? put : put != n)
		abort();
	close(fd);
	return 0;
}

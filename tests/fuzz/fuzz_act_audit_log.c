// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// An audit log from anywhere: only results "done" and "held" and open intents of this boot are
// taken.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "base/error.h"
#include "facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/ew-fuzz-log-XXXXXX";
static int log_fd = -1;

static void check(void *ctx, const struct fact *fact)
{
	(void)ctx;
	if (fact->type != FACT_ACT || strcmp(fact->act.phase, "result") != 0 ||
	    (strcmp(fact->act.result, "done") != 0 && strcmp(fact->act.result, "held") != 0))
		abort();
}

static void check_open(void *ctx, const struct fact *fact)
{
	(void)ctx;
	if (fact->type != FACT_ACT || strcmp(fact->act.phase, "intent") != 0)
		abort();
}

static void dir_remove(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/audit.log", dir);
	unlink(path);
	rmdir(dir);
}

static void log_make(void)
{
	char path[64];

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	log_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (log_fd < 0 || atexit(dir_remove) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fact_sink sink = { .emit = check }, open = { .emit = check_open };
	struct error error = { 0 };

	if (log_fd < 0)
		log_make();
	if (ftruncate(log_fd, 0) < 0 || pwrite(log_fd, data, size, 0) != (ssize_t)size)
		abort();
	if (audit_log_read(dir, INT64_C(1795503026000000000), &sink, &error) < 0 ||
	    audit_log_read_open(dir, INT64_C(1795503026000000000), &open, &error) < 0)
		abort();
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/node_scan.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounded.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/proc.h"
#include "base/root_path.h"
#include "facts.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/bounded_emit.h"
#include "observe/agent/disks.h"

enum source { WORK_DISK, RUNTIME_DISK, LOG_DISK, N_SOURCES };

struct node_scan {
	struct node_scan_options options;
	char work_dir[PATH_MAX];
	struct bounded children[N_SOURCES];
};

/* ---- in the children ---- */

static int disk_of(const char *role, const char *path, const struct fact_sink *sink)
{
	int err = disk_emit(role, path, sink);

	if (err < 0)
		emit_unread(sink, 0, 0, err, "free space of '%s'", path);
	return 0;
}

static int work_disk(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct node_scan *scan = ctx;

	(void)error;
	return *scan->work_dir ? disk_of("work", scan->work_dir, sink) : 0;
}

/* The path as the agent sees it. */
static int agents_disk(int32_t agent, const char *role, const char *path,
		       const struct fact_sink *sink)
{
	char root[PROC_PATH_MAX], here[PATH_MAX];

	snprintf(root, sizeof(root), "/proc/%d/root", agent);
	if (path[0] != '/')
		return 0;
	/* What is not there yet is looked at above it: by the path as it is, in the same root. */
	if (root_path_resolve(root, path, here, sizeof(here)) < 0)
		snprintf(here, sizeof(here), "%s%s", root, path);
	return disk_of(role, here, sink);
}

/* Mesos slave/flags.cpp: without the flag root's agent writes to /var/run/mesos. */
static int runtime_disk(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct node_scan *scan = ctx;
	char path[PATH_MAX];

	(void)error;
	if (!agent_flag(scan->options.agent, "runtime_dir", path, sizeof(path)))
		snprintf(path, sizeof(path), "/var/run/mesos");
	return agents_disk(scan->options.agent, "runtime", path, sink);
}

static int log_disk(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct node_scan *scan = ctx;
	char path[PATH_MAX];

	(void)error;
	if (!agent_flag(scan->options.agent, "log_dir", path, sizeof(path)))
		return 0;
	return agents_disk(scan->options.agent, "log", path, sink);
}

/* ---- the scan ---- */

static const struct {
	bounded_emitter emit;
	const char *object;
	bool of_agent; /* there is nothing to read without one */
} sources[N_SOURCES] = {
	[WORK_DISK] = { work_disk, "free space of the agent's work directory", false },
	[RUNTIME_DISK] = { runtime_disk, "free space of the agent's runtime directory", true },
	[LOG_DISK] = { log_disk, "free space of the agent's log directory", true },
};

struct node_scan *node_scan_begin(const struct node_scan_options *options)
{
	struct node_scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return NULL;
	scan->options = *options;
	snprintf(scan->work_dir, sizeof(scan->work_dir), "%s", options->work_dir);
	for (int i = 0; i < N_SOURCES; i++)
		if (options->agent || !sources[i].of_agent)
			bounded_emit_begin(&scan->children[i], sources[i].emit, scan);
	return scan;
}

void node_scan_end(struct node_scan *scan, const struct fact_sink *sink)
{
	for (int i = 0; i < N_SOURCES; i++) {
		if (scan->children[i].pid)
			bounded_emit_end(&scan->children[i], sources[i].object, sink, NULL);
		else if (scan->options.agent || !sources[i].of_agent)
			emit_unread(sink, 0, 0, -EAGAIN, "%s", sources[i].object);
	}
	free(scan);
}

void node_scan_drop(struct node_scan *scan)
{
	for (int i = 0; scan && i < N_SOURCES; i++)
		bounded_drop(&scan->children[i]);
	free(scan);
}

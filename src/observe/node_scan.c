/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/node_scan.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounded.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "base/root_path.h"
#include "facts.h"
#include "mesos/span.h"
#include "observe/agent/address.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/bounded_emit.h"
#include "observe/agent/disks.h"
#include "observe/agent/docker.h"
#include "observe/agent/master.h"

enum source { WORK_DISK, RUNTIME_DISK, LOG_DISK, MASTER, DOCKER, N_SOURCES };

struct node_scan {
	struct node_scan_options options;
	char work_dir[PATH_MAX];
	char master_url[512];
	struct bounded children[N_SOURCES];
};

/* ---- in the children ---- */

static int disk_of(const char *role, const char *name, const char *path,
		   const struct fact_sink *sink)
{
	int err = disk_emit(role, name, path, sink);

	if (err < 0)
		emit_unread(sink, 0, 0, err, "free space of '%s'", name);
	return 0;
}

static int work_disk(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct node_scan *scan = ctx;

	(void)error;
	return *scan->work_dir ? disk_of("work", scan->work_dir, scan->work_dir, sink) : 0;
}

/*
 * The path as the agent sees it. What is not there yet is looked at above it: by the path as it is,
 * in the same root. False: it is too long.
 */
static bool agents_path(int32_t agent, const char *path, char *here, size_t size)
{
	char root[PROC_PATH_MAX];

	snprintf(root, sizeof(root), "/proc/%d/root", agent);
	return root_path_resolve(root, path, here, size) == 0 ||
	       (size_t)snprintf(here, size, "%s%s", root, path) < size;
}

static int agents_disk(int32_t agent, const char *role, const char *path,
		       const struct fact_sink *sink)
{
	char here[PATH_MAX];

	if (path[0] != '/' || !agents_path(agent, path, here, sizeof(here)))
		return 0;
	return disk_of(role, path, here, sink);
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

/* The agent id that the master knows: of slaves/latest; "" where there is none. */
static void slave_id_of(const char *work_dir, char *id, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct mesos_span last;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/meta/slaves/latest", work_dir);
	len = *work_dir ? readlink(path, target, sizeof(target)) : -1;
	last = mesos_span_last(mesos_span_at(target, len > 0 ? (size_t)len : 0), '/');
	id[0] = '\0';
	if (last.len < size)
		mesos_span_copy(last, id, size);
}

static int master_source(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct node_scan *scan = ctx;
	char flag[512], slave_id[NAME_MAX + 1];
	struct master_question question = { .master = flag, .nsfd = scan->options.nsfd };

	(void)error;
	question.named = *scan->master_url;
	if (question.named)
		question.master = scan->master_url;
	else if (!scan->options.agent ||
		 !agent_flag(scan->options.agent, "master", flag, sizeof(flag)))
		return 0;
	slave_id_of(scan->work_dir, slave_id, sizeof(slave_id));
	question.slave_id = slave_id;
	master_emit(&question, sink);
	return 0;
}

/* Mesos slave/flags.cpp: docker_socket, docker_kill_orphans. */
static int docker_source(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct node_scan *scan = ctx;
	int32_t agent = scan->options.agent;
	enum ew_tri kill_orphans = EW_YES;
	char value[512], here[PATH_MAX];
	const char *path = value;

	(void)error;
	if (!agent_flag(agent, "containerizers", value, sizeof(value)) || !strstr(value, "docker"))
		return 0;
	if (agent_flag(agent, "docker_kill_orphans", value, sizeof(value)) &&
	    (strcmp(value, "false") == 0 || strcmp(value, "0") == 0))
		kill_orphans = EW_NO;
	if (!agent_flag(agent, "docker_socket", value, sizeof(value)))
		snprintf(value, sizeof(value), "/var/run/docker.sock");
	if (strncmp(value, "unix://", 7) == 0)
		path += 7;
	if (agents_path(agent, path, here, sizeof(here)))
		docker_emit(path, here, kill_orphans, sink);
	return 0;
}

/* ---- in this process: what cannot hang ---- */

static void host_emit(const struct node_scan_options *options, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_HOST, .mono = now_mono() };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	fact.host.cpus = cpus > 0 ? (uint32_t)cpus : 0;
	if (getloadavg(&fact.host.load, 1) != 1)
		fact.host.cpus = 0;
	if (options->agent && options->listen) {
		fact.host.address = *options->listen;
		fact.host.bound = address_is_bound(options->listen, options->nsfd);
	}
	fact_emit(sink, &fact);
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
	[MASTER] = { master_source, "the master", false },
	[DOCKER] = { docker_source, "the docker daemon", true },
};

struct node_scan *node_scan_begin(const struct node_scan_options *options,
				  const struct fact_sink *sink)
{
	struct node_scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return NULL;
	scan->options = *options;
	snprintf(scan->work_dir, sizeof(scan->work_dir), "%s", options->work_dir);
	snprintf(scan->master_url, sizeof(scan->master_url), "%s",
		 options->master_url ? options->master_url : "");
	host_emit(options, sink);
	for (int i = 0; i < N_SOURCES; i++)
		if (options->agent || !sources[i].of_agent)
			bounded_emit_begin(&scan->children[i], sources[i].emit, scan);
	return scan;
}

void node_scan_end(struct node_scan *scan, int64_t until, const struct fact_sink *sink)
{
	for (int i = 0; i < N_SOURCES; i++) {
		if (scan->children[i].pid)
			bounded_emit_end(&scan->children[i], until, sources[i].object, sink, NULL);
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

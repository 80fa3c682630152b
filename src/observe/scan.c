/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/scan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "observe/agent_scan.h"
#include "observe/agent/api.h"
#include "observe/agent/checkpoints.h"
#include "observe/conntrack_lookup.h"
#include "base/netns.h"
#include "observe/proc/procfs.h"
#include "base/emit.h"
#include "observe/snapshot.h"
#include "observe/sockets.h"

struct scan {
	struct scan_options options;
	char *work_dir;
	char *agent_url;
	char *authorization;
	struct procfs *procfs;
	struct snapshot snapshot;
	bool seeded;		       /* in this pass, by somebody who knows */
	char found_work_dir[PATH_MAX]; /* kept: the agent that named it may be gone by now */
	char url[ADDR_TEXT_MAX + 16];
	uint32_t round;
	struct api_question *question; /* of this pass, not answered yet */
};

static int keep(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

int scan_new(const struct scan_options *options, struct scan **ret_survey, struct error *error)
{
	struct scan *survey = calloc(1, sizeof(*survey));
	int err;

	if (!survey)
		return error_set(error, -ENOMEM, NULL, "prepare a survey");
	snapshot_init(&survey->snapshot, options->port);
	survey->snapshot.pause = options->pause;
	survey->snapshot.pause_ctx = options->pause_ctx;
	survey->options = *options;
	err = keep(options->work_dir, &survey->work_dir);
	if (!err)
		err = keep(options->agent_url, &survey->agent_url);
	if (!err)
		err = keep(options->authorization, &survey->authorization);
	if (err < 0)
		error_set(error, err, NULL, "prepare a survey");
	else
		err = procfs_new(&survey->procfs, error);
	if (err < 0) {
		scan_free(survey);
		return err;
	}
	*ret_survey = survey;
	return 0;
}

void scan_free(struct scan *survey)
{
	if (!survey)
		return;
	snapshot_clear(&survey->snapshot);
	procfs_free(survey->procfs);
	free(survey->work_dir);
	free(survey->agent_url);
	free(survey->authorization);
	free(survey);
}

static void emit_phase(const struct fact_sink *sink, const char *phase, uint32_t scope)
{
	struct fact fact = { .type = FACT_SCAN, .mono = now_mono() };

	fact.scan.phase = phase;
	fact.scan.scope = scope;
	fact_emit(sink, &fact);
}

static void run_seed(struct scan *survey)
{
	const struct scan_options *options = &survey->options;
	struct snapshot *snapshot = &survey->snapshot;
	struct error error = { 0 };

	survey->seeded = options->seed != NULL;
	if (survey->seeded && options->seed(options->seed_ctx, &snapshot->tee, &error) < 0) {
		emit_failed(&snapshot->tee, "sockets by BPF", &error);
		survey->seeded = false;
	}
	snapshot_sort(snapshot);
	snapshot_find_linked(snapshot);
}

static void take_row(void *ctx, const struct procfs_row *row)
{
	struct scan *survey = ctx;

	snapshot_pause(&survey->snapshot);
	snapshot_row(&survey->snapshot, row);
}

/* Of what an executor has started it does not; nobody knows yet who is one without a seed. */
static bool library_matters(void *ctx, int32_t pid)
{
	const struct scan *survey = ctx;

	return !survey->seeded || snapshot_is_linked(&survey->snapshot, pid);
}

/* Where it is not plain which process of a run is the executor, the library tells. */
static void look_closer(struct scan *survey)
{
	struct snapshot *snapshot = &survey->snapshot;
	size_t n = snapshot->n_processes;

	for (size_t i = 0; i < n; i++) {
		const struct snapshot_process *process = &snapshot->processes[i];

		if (process->mesos && !snapshot_is_linked(snapshot, process->pid) &&
		    !snapshot_run_is_plain(snapshot, process->run))
			procfs_emit(survey->procfs, process->pid, &snapshot->tee);
	}
	snapshot_sort_processes(snapshot);
}

static bool run_processes(struct scan *survey)
{
	struct procfs_visitor visitor = { take_row, library_matters, survey };
	struct snapshot *snapshot = &survey->snapshot;
	struct error error = { 0 };

	if (procfs_walk(survey->procfs, &snapshot->tee, &visitor, &error) < 0) {
		emit_failed(&snapshot->tee, "processes", &error);
		return false;
	}
	snapshot_sort_processes(snapshot);
	snapshot_find_runs(snapshot);
	if (survey->seeded)
		look_closer(survey);
	return !snapshot->broken;
}

static bool run_sockets(struct scan *survey)
{
	struct snapshot *snapshot = &survey->snapshot;
	struct error error = { 0 };

	if (sockets_emit(survey->procfs, snapshot, survey->seeded, &error) < 0) {
		emit_failed(&snapshot->tee, "sockets", &error);
		return false;
	}
	agent_emit_all(survey->procfs, snapshot);
	return true;
}

static bool run_tracking(struct scan *survey)
{
	return conntrack_lookup_all(&survey->snapshot);
}

/* Waits for the answer to what ask() has asked, if it has. */
static void await_answer(struct scan *survey)
{
	if (survey->question)
		api_ask_end(survey->question);
	survey->question = NULL;
}

/* The agent's answer may tell where they are, but is worth no waiting while something else does. */
static const char *find_work_dir(struct scan *survey, struct error *error)
{
	char found[PATH_MAX];
	int err = 0;

	if (survey->work_dir)
		return survey->work_dir;
	if (!agent_work_dir(&survey->snapshot, found, sizeof(found))) {
		await_answer(survey);
		err = agent_work_dir_guess(&survey->snapshot, found, sizeof(found), error);
	}
	if (!err)
		snprintf(survey->found_work_dir, sizeof(survey->found_work_dir), "%s", found);
	return survey->found_work_dir;
}

static bool run_checkpoints(struct scan *survey)
{
	struct snapshot *snapshot = &survey->snapshot;
	struct error error = { 0 };
	const char *path = find_work_dir(survey, &error);

	if (!*path) {
		emit_failed(&snapshot->tee, "the agent's checkpoints", &error);
		return false;
	}
	return checkpoints_emit(path, &snapshot->tee, &error) == 0;
}

int scan_api_options(struct scan *survey, struct api_options *options, struct error *error)
{
	const struct snapshot_agent *agent = snapshot_agent(&survey->snapshot);
	struct api_options found = { .url = survey->agent_url, .nsfd = NETNS_OWN };
	struct ew_addr addr;
	char text[ADDR_TEXT_MAX];

	found.authorization = survey->authorization;
	found.tell = !survey->options.seed;
	if (!found.url) {
		if (!agent)
			return error_set(error, -ENOENT, "start it, or give --port or --agent-url",
					 "find the agent: nothing listens on port %u",
					 survey->options.port);
		addr = agent->listen;
		if (addr_is_any(&addr))
			addr = addr_from_v4("\x7f\0\0\1", addr.port);
		snprintf(survey->url, sizeof(survey->url), "http://%s", addr_text(&addr, text));
		found.url = survey->url;
		found.nsfd = snapshot_netns_open(&survey->snapshot, agent->netns);
		if (found.nsfd < 0)
			return error_set(error, found.nsfd, "run as root",
					 "enter the network namespace %llu of the agent",
					 (unsigned long long)agent->netns);
	}
	*options = found;
	return 0;
}

uint32_t scan_api_round(struct scan *survey)
{
	return ++survey->round;
}

static bool ask(struct scan *survey)
{
	struct snapshot *snapshot = &survey->snapshot;
	struct api_options options;
	struct error error = { 0 };
	int err = scan_api_options(survey, &options, &error);

	if (err == -ENOENT)
		return false; /* no FACT_AGENT says the same */
	if (!err) {
		err = api_ask_begin(&options, scan_api_round(survey), &snapshot->tee,
				    &survey->question, &error);
		if (options.nsfd != NETNS_OWN)
			close(options.nsfd);
	}
	if (err < 0)
		emit_failed(&snapshot->tee, "the agent's HTTP API", &error);
	return err == 0;
}

static uint32_t scope_closed(uint32_t scope)
{
	if (scope & SCAN_TRACKING)
		scope |= SCAN_SOCKETS;
	if (scope & SCAN_SOCKETS)
		scope |= SCAN_PROCESSES;
	return scope;
}

uint32_t scan_run(struct scan *survey, uint32_t scope, const struct fact_sink *sink)
{
	static const struct {
		uint32_t bit;
		bool (*run)(struct scan *survey);
	} parts[] = {
		{ SCAN_PROCESSES, run_processes },     /* whose sockets and namespaces matter */
		{ SCAN_SOCKETS, run_sockets },	       /* who is the agent, which are links */
		{ SCAN_TRACKING, run_tracking },       /* before anything that takes long */
		{ SCAN_API, ask },		       /* the answer takes the agent some time, */
		{ SCAN_CHECKPOINTS, run_checkpoints }, /* in which these are read */
	};
	uint32_t done = 0;

	scope = scope_closed(scope);
	if (scope & SCAN_PROCESSES)
		snapshot_begin(&survey->snapshot, sink);
	survey->snapshot.out = *sink;
	emit_phase(sink, "begin", scope);
	survey->seeded = false;
	if (scope & SCAN_SOCKETS)
		run_seed(survey); /* first: who has a link decides what to read of whom */
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (scope & parts[i].bit && parts[i].run(survey))
			done |= parts[i].bit;
	}
	await_answer(survey);
	snapshot_end(&survey->snapshot);
	emit_phase(sink, "end", done);
	return done;
}

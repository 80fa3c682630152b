/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/survey.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/agent.h"
#include "observe/api.h"
#include "observe/checkpoints.h"
#include "observe/links.h"
#include "observe/netns.h"
#include "observe/procfs.h"
#include "observe/put.h"
#include "observe/scene.h"
#include "observe/sockets.h"

struct survey {
	struct survey_options options;
	char *work_dir;
	char *agent_url;
	char *authorization;
	struct procfs *procfs;
	struct scene scene;
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

int survey_new(const struct survey_options *options, struct survey **ret_survey, struct fail *why)
{
	struct survey *survey = calloc(1, sizeof(*survey));
	int err;

	if (!survey)
		return fail_set(why, -ENOMEM, NULL, "prepare a survey");
	scene_init(&survey->scene, options->port);
	survey->scene.pause = options->pause;
	survey->scene.pause_ctx = options->pause_ctx;
	survey->options = *options;
	err = keep(options->work_dir, &survey->work_dir);
	if (!err)
		err = keep(options->agent_url, &survey->agent_url);
	if (!err)
		err = keep(options->authorization, &survey->authorization);
	if (err < 0)
		fail_set(why, err, NULL, "prepare a survey");
	else
		err = procfs_new(&survey->procfs, why);
	if (err < 0) {
		survey_free(survey);
		return err;
	}
	*ret_survey = survey;
	return 0;
}

void survey_free(struct survey *survey)
{
	if (!survey)
		return;
	scene_clear(&survey->scene);
	procfs_free(survey->procfs);
	free(survey->work_dir);
	free(survey->agent_url);
	free(survey->authorization);
	free(survey);
}

static void put_phase(const struct fact_sink *sink, const char *phase, uint32_t scope)
{
	struct fact fact = { .type = FACT_SURVEY, .mono = now_mono() };

	fact.survey.phase = phase;
	fact.survey.scope = scope;
	fact_put(sink, &fact);
}

static void put_failure(const struct fact_sink *sink, const char *object, const struct fail *why)
{
	char reason[640];

	put_damage(sink, 0, object, fail_text(why, reason, sizeof(reason)));
}

static void run_seed(struct survey *survey)
{
	const struct survey_options *options = &survey->options;
	struct scene *scene = &survey->scene;
	struct fail why = { 0 };

	survey->seeded = options->seed != NULL;
	if (survey->seeded && options->seed(options->seed_ctx, &scene->tee, &why) < 0) {
		put_failure(&scene->tee, "sockets by BPF", &why);
		survey->seeded = false;
	}
	scene_sort(scene);
	scene_find_linked(scene);
}

static void take_row(void *ctx, const struct procfs_row *row)
{
	struct survey *survey = ctx;

	scene_pause(&survey->scene);
	scene_row(&survey->scene, row);
}

/* Of what an executor has started it does not; nobody knows yet who is one without a seed. */
static bool library_matters(void *ctx, int32_t pid)
{
	const struct survey *survey = ctx;

	return !survey->seeded || scene_is_linked(&survey->scene, pid);
}

/* Where it is not plain which process of a run is the executor, the library tells. */
static void look_closer(struct survey *survey)
{
	struct scene *scene = &survey->scene;
	size_t n = scene->n_processes;

	for (size_t i = 0; i < n; i++) {
		const struct scene_process *process = &scene->processes[i];

		if (process->mesos && !scene_is_linked(scene, process->pid) &&
		    !scene_run_is_plain(scene, process->run))
			procfs_put(survey->procfs, process->pid, &scene->tee);
	}
	scene_sort_processes(scene);
}

static bool run_processes(struct survey *survey)
{
	struct procfs_visitor visitor = { take_row, library_matters, survey };
	struct scene *scene = &survey->scene;
	struct fail why = { 0 };

	if (procfs_walk(survey->procfs, &scene->tee, &visitor, &why) < 0) {
		put_failure(&scene->tee, "processes", &why);
		return false;
	}
	scene_sort_processes(scene);
	scene_find_runs(scene);
	if (survey->seeded)
		look_closer(survey);
	return !scene->broken;
}

static bool run_sockets(struct survey *survey)
{
	struct scene *scene = &survey->scene;
	struct fail why = { 0 };

	if (sockets_put(survey->procfs, scene, survey->seeded, &why) < 0) {
		put_failure(&scene->tee, "sockets", &why);
		return false;
	}
	agent_put_all(survey->procfs, scene);
	return true;
}

static bool run_tracking(struct survey *survey)
{
	return links_put(&survey->scene);
}

/* Waits for the answer to what ask() has asked, if it has. */
static void await_answer(struct survey *survey)
{
	if (survey->question)
		api_ask_end(survey->question);
	survey->question = NULL;
}

/* The agent's answer may tell where they are, but is worth no waiting while something else does. */
static const char *find_work_dir(struct survey *survey, struct fail *why)
{
	char found[PATH_MAX];
	int err = 0;

	if (survey->work_dir)
		return survey->work_dir;
	if (!agent_work_dir(&survey->scene, found, sizeof(found))) {
		await_answer(survey);
		err = agent_work_dir_guess(&survey->scene, found, sizeof(found), why);
	}
	if (!err)
		snprintf(survey->found_work_dir, sizeof(survey->found_work_dir), "%s", found);
	return survey->found_work_dir;
}

static bool run_checkpoints(struct survey *survey)
{
	struct scene *scene = &survey->scene;
	struct fail why = { 0 };
	const char *path = find_work_dir(survey, &why);

	if (!*path) {
		put_failure(&scene->tee, "the agent's checkpoints", &why);
		return false;
	}
	return checkpoints_put(path, &scene->tee, &why) == 0;
}

int survey_api_options(struct survey *survey, struct api_options *options, struct fail *why)
{
	const struct scene_agent *agent = scene_agent(&survey->scene);
	struct api_options found = { .url = survey->agent_url, .nsfd = NETNS_OWN };
	struct ew_addr addr;
	char text[ADDR_TEXT_MAX];

	found.authorization = survey->authorization;
	found.tell = !survey->options.seed;
	if (!found.url) {
		if (!agent)
			return fail_set(why, -ENOENT, "start it, or give --port or --agent-url",
					"find the agent: nothing listens on port %u",
					survey->options.port);
		addr = agent->listen;
		if (addr_is_any(&addr))
			addr = addr_from_v4("\x7f\0\0\1", addr.port);
		snprintf(survey->url, sizeof(survey->url), "http://%s", addr_text(&addr, text));
		found.url = survey->url;
		found.nsfd = scene_netns_open(&survey->scene, agent->netns);
		if (found.nsfd < 0)
			return fail_set(why, found.nsfd, "run as root",
					"enter the network namespace %llu of the agent",
					(unsigned long long)agent->netns);
	}
	*options = found;
	return 0;
}

uint32_t survey_api_round(struct survey *survey)
{
	return ++survey->round;
}

static bool ask(struct survey *survey)
{
	struct scene *scene = &survey->scene;
	struct api_options options;
	struct fail why = { 0 };
	int err = survey_api_options(survey, &options, &why);

	if (err == -ENOENT)
		return false; /* no FACT_AGENT says the same */
	if (!err) {
		err = api_ask_begin(&options, survey_api_round(survey), &scene->tee,
				    &survey->question, &why);
		if (options.nsfd != NETNS_OWN)
			close(options.nsfd);
	}
	if (err < 0)
		put_failure(&scene->tee, "the agent's HTTP API", &why);
	return err == 0;
}

static uint32_t scope_closed(uint32_t scope)
{
	if (scope & SURVEY_TRACKING)
		scope |= SURVEY_SOCKETS;
	if (scope & SURVEY_SOCKETS)
		scope |= SURVEY_PROCESSES;
	return scope;
}

uint32_t survey_run(struct survey *survey, uint32_t scope, const struct fact_sink *sink)
{
	static const struct {
		uint32_t bit;
		bool (*run)(struct survey *survey);
	} parts[] = {
		{ SURVEY_PROCESSES, run_processes },	 /* whose sockets and namespaces matter */
		{ SURVEY_SOCKETS, run_sockets },	 /* who is the agent, which are links */
		{ SURVEY_TRACKING, run_tracking },	 /* before anything that takes long */
		{ SURVEY_API, ask },			 /* the answer takes the agent some time, */
		{ SURVEY_CHECKPOINTS, run_checkpoints }, /* in which these are read */
	};
	uint32_t done = 0;

	scope = scope_closed(scope);
	if (scope & SURVEY_PROCESSES)
		scene_begin(&survey->scene, sink);
	survey->scene.out = *sink;
	put_phase(sink, "begin", scope);
	survey->seeded = false;
	if (scope & SURVEY_SOCKETS)
		run_seed(survey); /* first: who has a link decides what to read of whom */
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (scope & parts[i].bit && parts[i].run(survey))
			done |= parts[i].bit;
	}
	await_answer(survey);
	scene_end(&survey->scene);
	put_phase(sink, "end", done);
	return done;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about docker. */
#include <string.h>

#include "base/arena.h"
#include "model/command_words.h"
#include "model/finding_table.h"
#include "model/judge/identity.h"
#include "model/model_private.h"

static void unreachable_fill(const struct store *store, struct report *report)
{
	if (store->docker.answers != EW_NO)
		return;
	finding_add(store, report, FINDING_DOCKER_UNREACHABLE, SEVERITY_CRITICAL,
		    arena_printf(report->arena,
				 "The agent has the docker containerizer, and docker does not "
				 "answer at '%s': %s.",
				 store->docker.socket, store->docker.problem),
		    "Get docker to answer before the agent restarts; a restart of docker itself "
		    "ends the tasks that run in it.");
}

/* ---- the executors' containers ---- */

/*
 * "mesos-CONTAINER", or "mesos-AGENT.CONTAINER" from 0.23 to 1.3; with an executor in a container
 * of its own, ".executor" behind it (Mesos slave/containerizer/docker.hpp and docker.cpp).
 */
static bool is_name_of(const char *name, const char *container_id)
{
	size_t len = strlen(container_id);
	const char *at = strstr(name, container_id);

	return len && at && at > name && (at[-1] == '.' || at - name == 6) &&
	       (at[len] == '\0' || strcmp(at + len, ".executor") == 0);
}

static bool is_current(const struct store *store, const struct container *container)
{
	return container->seen == store->docker_seen;
}

static bool runs(const struct store *store, const char *container_id)
{
	for (size_t i = 0; i < store->containers.n; i++) {
		const struct container *c = &store->containers.v[i];

		if (is_current(store, c) && is_name_of(c->facts.name, container_id) &&
		    strcmp(c->facts.state, "running") == 0)
			return true;
	}
	return false;
}

/* Its name, cut by the kernel to 15 bytes (TASK_COMM_LEN). */
static bool is_docker_executor(const struct executor *executor)
{
	return strcmp(executor->process->facts.comm, "mesos-docker-ex") == 0;
}

static void gone_fill(const struct executors *view, struct report *report)
{
	for (size_t i = 0; i < view->n_executors; i++) {
		const struct executor *executor = &view->executors[i];
		const struct process_facts *p = &executor->process->facts;

		if (!is_docker_executor(executor) || !*p->container_id ||
		    identity_of(view->store, executor) != WHOSE_OURS ||
		    runs(view->store, p->container_id))
			continue;
		finding_add(view->store, report, FINDING_CONTAINER_GONE, SEVERITY_WARNING,
			    arena_printf(report->arena,
					 "Docker has no running container for executor '%s' "
					 "(container %s).",
					 p->executor_id, p->container_id),
			    "See docker ps -a for what became of it; its task may be over.");
	}
}

/* Does an executor that may live have this container? */
static bool is_known(const struct executors *view, const char *name)
{
	const struct checkpoint *c, *next;

	HASH_ITER(hh, view->store->checkpoints, c, next)
	{
		if (!c->facts.completed && is_name_of(name, c->key.container_id) &&
		    strcmp(c->facts.slave_id, view->store->work_dir.slave_id) == 0)
			return true;
	}
	return false;
}

/* Mesos slave/containerizer/docker.cpp, _recover(): those without a checkpoint are stopped. */
static void orphans_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;

	if (store->docker.kill_orphans != EW_YES || !store->has_work_dir ||
	    store->work_dir.readable != EW_YES || !(store->complete & SCAN_CHECKPOINTS))
		return;
	for (size_t i = 0; i < store->containers.n; i++) {
		const struct container *c = &store->containers.v[i];

		if (!is_current(store, c) || strcmp(c->facts.state, "running") != 0 ||
		    is_known(view, c->facts.name))
			continue;
		finding_add(store, report, FINDING_CONTAINER_ORPHANED, SEVERITY_WARNING,
			    arena_printf(report->arena,
					 "The container '%s' runs, and no checkpoint of this agent "
					 "has it.",
					 c->facts.name),
			    "If it is to live on, start the agent with "
			    "--docker_kill_orphans=false.");
	}
}

/* ---- a restart of docker in run's command ---- */

static size_t n_docker_executors(const struct executors *view)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_executors; i++)
		n += is_docker_executor(&view->executors[i]) &&
		     identity_of(view->store, &view->executors[i]) == WHOSE_OURS;
	return n;
}

/* mesos-docker-executor waits for its attached docker run (Mesos docker/executor.cpp). */
static void restart_fill(const struct executors *view, struct report *report)
{
	size_t n = n_docker_executors(view);
	const char *command =
		n ? command_that(view->store, report->arena, command_restarts_docker) : NULL;

	if (!command)
		return;
	finding_add(view->store, report, FINDING_DOCKER_RESTART, SEVERITY_WARNING,
		    arena_printf(report->arena,
				 "The command seems to stop or restart docker, and %zu executors "
				 "have their task in it: %s",
				 n, command),
		    "Restart the agent alone, and docker when no task runs in it.");
}

void findings_docker_fill(const struct executors *view, struct report *report)
{
	if (!report_has_outcomes(report) || !view->store->command_ended)
		restart_fill(view, report);
	if (!view->store->has_docker)
		return;
	unreachable_fill(view->store, report);
	if (view->store->docker.answers != EW_YES)
		return;
	gone_fill(view, report);
	orphans_fill(view, report);
}

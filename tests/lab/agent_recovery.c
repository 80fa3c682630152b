/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What Slave::recover() to Slave::__recover() do with checkpointed executors. */
#include "agent.h"
#include "procs.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The launchers do not take a pid twice (Mesos containerizer/mesos/launcher.cpp, recover()). */
static void pid_is_new(struct agent *a, const struct container *new, pid_t pid)
{
	for (const struct container *c = a->containers; c; c = c->next)
		if (c != new && c->forked_pid == pid && c->state != C_TERMINATED)
			agent_recovery_failed(a, "Detected duplicate pid %d for container %s", pid,
					      new->container_id);
}

static bool has_tasks(struct agent *a, const struct checkpoint_ids *at)
{
	char *tasks = checkpoint_run_path(at);
	bool all = agent_tasks_info(a, tasks);

	free(tasks);
	return all;
}

static void recover_run(struct agent *a, const char *fid, const char *eid, const char *cid)
{
	struct container *c = agent_add(a, fid, eid, cid);
	struct checkpoint_ids at = agent_paths(c);
	pid_t forked = agent_forked_pid(a, &at);
	char *marker = checkpoint_read_run_file(&at, "http.marker");
	char *sentinel = checkpoint_read_run_file(&at, "executor.sentinel");

	agent_log(a, 'I', "slave.cpp:10509", "Recovering executor '%s' of framework %s", eid, fid);
	c->checkpoint = true;
	c->launched_task = true;
	c->taskless = !has_tasks(a, &at) && version_number(a->flags.version) >= 1005000;
	c->directory = checkpoint_sandbox(&at);
	/* Pids of another boot mean nothing; without a forked pid Mesos reads no further. */
	if (!a->rebooted && forked) {
		pid_is_new(a, c, forked);
		c->forked_pid = forked;
		c->upid = checkpoint_read_run_file(&at, "pids/libprocess.pid");
		c->http = marker && !c->upid;
	}
	if (c->upid && !*c->upid) {
		free(c->upid);
		c->upid = NULL;
	}
	c->status = checkpoint_read_status(&at);
	if (c->status.state != TASK_STAGING)
		c->history[c->n_history++] = c->status;
	c->acked = true;
	if (c->upid)
		addr_parse_upid(c->upid, &c->address);
	if (sentinel) {
		c->state = C_TERMINATED;
		a->terminated++;
	}
	free(marker);
	free(sentinel);
}

/* The entries of a directory, but for "." and ".."; calls back with each name. */
static void each_entry(struct agent *a, const char *path, const char *fid,
		       void (*fn)(struct agent *a, const char *path, const char *fid,
				  const char *name))
{
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			fn(a, path, fid, d->d_name);
	if (dir)
		closedir(dir);
}

/* Mesos reads those of earlier runs too. A task whose file is missing is unknown to it. */
static void read_tasks(struct agent *a, const char *path, const char *unused, const char *cid)
{
	char *run = lab_fmt("%s/%s", path, cid);

	(void)unused;
	if (strcmp(cid, "latest") != 0)
		agent_tasks_info(a, run);
	free(run);
}

static void recover_executor(struct agent *a, const char *path, const char *fid, const char *eid)
{
	char *dir = lab_fmt("%s/%s", path, eid), *runs = lab_fmt("%s/runs", dir);
	char *latest = lab_fmt("%s/latest", runs);
	char *cid = checkpoint_link_name(latest);

	each_entry(a, runs, fid, read_tasks);
	if (cid && agent_executor_info(a, dir))
		recover_run(a, fid, eid, cid);
	else
		agent_log(a, 'W', "slave.cpp:10485",
			  "Skipping recovery of executor '%s' of framework %s because its %s "
			  "cannot be recovered",
			  eid, fid, cid ? "info" : "latest run");
	free(cid);
	free(latest);
	free(runs);
	free(dir);
}

static void recover_framework(struct agent *a, const char *path, const char *unused,
			      const char *fid)
{
	char *dir = lab_fmt("%s/%s", path, fid), *executors = lab_fmt("%s/executors", dir);

	(void)unused;
	agent_log(a, 'I', "slave.cpp:8485", "Recovering framework %s", fid);
	if (agent_framework_info(a, dir))
		each_entry(a, executors, fid, recover_executor);
	free(executors);
	free(dir);
}

/* launcher.cpp, recover(): two runs of one process end the agent, and its start is tried again. */
static void refuse_duplicates(const struct agent *a)
{
	for (const struct container *c = a->containers; c; c = c->next) {
		for (const struct container *d = c->next; d; d = d->next) {
			if (!c->forked_pid || c->forked_pid != d->forked_pid ||
			    c->state == C_TERMINATED || d->state == C_TERMINATED)
				continue;
			fprintf(stderr,
				"Failed to perform recovery: Collect failed: Detected duplicate "
				"pid %d for container %s\n"
				"To remedy this do as follows:\n"
				"Step 1: rm -f %s/meta/slaves/latest\n"
				"        This ensures agent doesn't recover old live executors.\n"
				"Step 2: Restart the agent.\n",
				c->forked_pid, d->container_id, a->flags.work_dir);
			exit(EXIT_FAILURE);
		}
	}
}

/* slave.cpp, recover(): attributes alone are compared, and "additive" permits more behind the old.
 */
static void refuse_changes(const struct agent *a)
{
	char *old = checkpoint_attributes(a->flags.work_dir, a->slave_id);
	size_t len = strlen(old);
	bool more = !strcmp(a->flags.reconfiguration_policy, "additive") &&
		    !strncmp(a->flags.attributes, old, len);

	if (strcmp(old, a->flags.attributes) && !more) {
		fprintf(stderr,
			"EXIT with status 1: Failed to perform recovery: Incompatible agent info "
			"detected.\n"
			"To remedy this do as follows:\n"
			"Step 1: rm -f %s/meta/slaves/latest\n"
			"        This ensures agent doesn't recover old live executors.\n"
			"Step 2: Restart the agent.\n",
			a->flags.work_dir);
		exit(EXIT_FAILURE);
	}
	free(old);
}

bool agent_recover_state(struct agent *a)
{
	char *latest = lab_fmt("%s/meta/slaves/latest", a->flags.work_dir);
	char *frameworks;

	a->slave_id = checkpoint_link_name(latest);
	free(latest);
	agent_resources_info(a);
	if (!a->slave_id)
		return false;
	a->rebooted = !checkpoint_same_boot(a->flags.work_dir);
	if (a->rebooted) {
		agent_log(a, 'I', "state.cpp:95", "Agent host rebooted");
		if (version_number(a->flags.version) < 1004000)
			return false; /* a new id: MESOS-6223 came with 1.4.0 */
	}
	if (!agent_slave_info(a)) {
		free(a->slave_id);
		a->slave_id = NULL;
		return false; /* a new id */
	}
	frameworks = lab_fmt("%s/meta/slaves/%s/frameworks", a->flags.work_dir, a->slave_id);
	each_entry(a, frameworks, NULL, recover_framework);
	free(frameworks);
	refuse_duplicates(a);
	refuse_changes(a);
	return true;
}

static void ask(struct container *c, const char *verb)
{
	struct msg_ids ids = agent_ids(c);
	struct buf body = { 0 };

	agent_log(c->agent, 'I', "slave.cpp:8259",
		  "%s reconnect request to executor '%s' of framework %s at %s", verb,
		  c->executor_id, c->framework_id, c->upid);
	msg_reconnect(&body, &ids);
	agent_send(c, "ReconnectExecutorMessage", &body);
}

static void ask_again(void *arg)
{
	struct agent *a = arg;

	a->retry = NULL;
	if (a->state != AGENT_ASKING)
		return;
	for (struct container *c = a->containers; c; c = c->next)
		if (c->state == C_REGISTERING && c->upid)
			ask(c, "Re-sending");
	a->retry = loop_after(a->loop, duration_ms(a->flags.retry_interval), ask_again, a);
}

static void ask_first(struct container *c)
{
	if (c->upid)
		ask(c, "Sending");
	else if (c->http)
		agent_log(c->agent, 'I', "slave.cpp:8322",
			  "Waiting for executor '%s' of framework "
			  "%s (via HTTP) to subscribe",
			  c->executor_id, c->framework_id);
	else
		agent_log(c->agent, 'W', "slave.cpp:8330",
			  "Unable to reconnect to executor '%s' "
			  "of framework %s because no pid or http checkpoint file was found",
			  c->executor_id, c->framework_id);
}

/* From the agent's own process: SIGSTOP to all their trees, then SIGKILL. */
static void kill_rest(struct agent *a)
{
	char *message =
		lab_fmt("Executor did not reregister within %s", a->flags.reregistration_timeout);
	struct buf roots = { 0 };

	agent_log(a, 'I', "slave.cpp:5910", "Cleaning up un-reregistered executors");
	for (struct container *c = a->containers; c; c = c->next) {
		if (c->state != C_REGISTERING)
			continue;
		agent_log(a, 'I', "slave.cpp:5928",
			  "Killing un-reregistered executor '%s' of framework %s at %s",
			  c->executor_id, c->framework_id, c->upid ? c->upid : "(via HTTP)");
		c->destroyed = true;
		c->pending = agent_made_status(TASK_LOST, REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
					       message);
		agent_set_state(c, C_TERMINATING);
		if (c->pidfd >= 0)
			buf_add(&roots, &c->forked_pid, sizeof(pid_t));
	}
	if (roots.len)
		procs_kill_trees((pid_t *)roots.data, roots.len / sizeof(pid_t));
	buf_free(&roots);
	free(message);
}

/*
 * `wait recovered` promises that those are gone; frozen ones are not waited for. Mesos does not
 * wait here: its recovery is over when the kills have begun.
 */
static void await_killed(const struct agent *a)
{
	double bound = wall_time() + 2;

	for (const struct container *c = a->containers; c; c = c->next) {
		struct pollfd end = { .fd = c->pidfd, .events = POLLIN };
		int left_ms = (int)((bound - wall_time()) * 1000);

		if (c->destroyed && c->pidfd >= 0 && left_ms > 0)
			poll(&end, 1, left_ms);
	}
}

/* The master may have removed an agent that was away for too long. */
static void register_with_master(struct agent *a)
{
	double away = strtod(a->flags.away, NULL) + a->recovery_seconds;

	if (*a->flags.removed_after && away * 1000 > duration_ms(a->flags.removed_after))
		agent_removed(a);
}

static void finish_recovery(void *arg)
{
	struct agent *a = arg;

	kill_rest(a);
	await_killed(a);
	checkpoint_boot_id(a->flags.work_dir);
	a->state = AGENT_RUNNING;
	a->recovery_seconds = wall_time() - a->start_time;
	loop_cancel(a->loop, a->retry);
	a->retry = NULL;
	agent_log(a, 'I', "slave.cpp:8388", "Finished recovery");
	agent_notify(a, "recovered");
	agent_launch_more(a);
	register_with_master(a);
}

static void await_rest(struct agent *a)
{
	loop_after(a->loop, duration_ms(a->flags.reregistration_timeout), finish_recovery, a);
}

char *agent_release(struct agent *a)
{
	if (!a->holding)
		return lab_strdup("it holds nothing");
	a->holding = false;
	agent_answer_held(a);
	if (a->state == AGENT_ASKING)
		await_rest(a);
	return NULL;
}

static void ask_all(void *arg)
{
	struct agent *a = arg;
	bool cleanup = launch_is(a->flags.recover, "cleanup");

	a->state = AGENT_ASKING;
	agent_log(a, 'I', "slave.cpp:8235", "Recovering executors");
	for (struct container *c = a->containers; c; c = c->next) {
		if (c->state != C_REGISTERING)
			continue;
		agent_watch_exit(c);
		agent_set_state(c, C_REGISTERING);
		if (cleanup)
			agent_shutdown_executor(c);
		else
			ask_first(c);
		if (c->pidfd < 0)
			agent_terminated(c, 0, false); /* gone while we were down */
	}
	if (cleanup) {
		agent_maybe_quit(a);
		return;
	}
	if (*a->flags.retry_interval)
		a->retry = loop_after(a->loop, duration_ms(a->flags.retry_interval), ask_again, a);
	if (!a->holding)
		await_rest(a);
}

void agent_start_recovery(struct agent *a)
{
	agent_log(a, 'I', "slave.cpp:7753",
		  "Finished recovering checkpointed state from "
		  "'%s/meta', beginning agent recovery",
		  a->flags.work_dir);
	loop_after(a->loop, duration_ms(a->flags.recovery_delay), ask_all, a);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/now.h"
#include "base/error.h"
#include "base/proc.h"
#include "base/root_path.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/service.h"
#include "observe/proc/procfs.h"
#include "observe/snapshot.h"

enum { STATE_LISTEN = 10 };

/*
 * With the unit that runs it and, where it is in a pid namespace of its own, the first process of
 * that: what ends these ends the executors in them.
 */
static void emit_agent(struct procfs *procfs, const struct fact_socket *socket,
		       const struct next_start_options *next, int64_t until,
		       const struct fact_sink *sink)
{
	const struct fact_process *process = procfs_emitted(procfs);
	int32_t ppid = process->ppid, init = process->pidns_init;
	struct fact agent = { .type = FACT_AGENT, .mono = now_mono() };

	agent.agent.pid = process->pid;
	agent.agent.start = process->start;
	agent.agent.comm = process->comm;
	agent.agent.exe = process->exe;
	agent.agent.cgroup = process->cgroup;
	agent.agent.uid_known = EW_YES;
	agent.agent.uid = process->uid;
	agent.agent.pidns = process->pidns;
	agent.agent.pidns_init = process->pidns_init;
	agent.agent.listen = socket->local;
	agent.agent.netns = socket->netns;
	agent.agent.cookie = socket->cookie;
	fact_emit(sink, &agent);
	service_emit(&agent.agent, ppid, next, until, sink);
	if (process->pidns != PROC_PIDNS_INIT && init && init != process->pid)
		procfs_emit(procfs, init, sink);
}

static void emit_listeners(struct procfs *procfs, const struct snapshot *snapshot,
			   const struct fact_socket *socket, const struct next_start_options *next,
			   const struct fact_sink *sink)
{
	const struct fact_holder *holders;
	int32_t last = 0;
	size_t n;

	holders = snapshot_holders(snapshot, socket->cookie, &n);
	for (size_t i = 0; i < n; i++) {
		if (holders[i].pid != last &&
		    procfs_emit_closely(procfs, holders[i].pid, sink) == 0)
			emit_agent(procfs, socket, next, snapshot_until(snapshot), sink);
		last = holders[i].pid;
	}
}

static void emit_listening(struct procfs *procfs, const struct snapshot *snapshot, bool own,
			   const struct next_start_options *next, const struct fact_sink *sink)
{
	const struct fact_socket *socket;

	for (size_t i = 0; (socket = snapshot_socket(snapshot, i)); i++)
		if (socket->state == STATE_LISTEN &&
		    socket->local.port == snapshot_port(snapshot) &&
		    (socket->netns == snapshot_netns(snapshot)) == own)
			emit_listeners(procfs, snapshot, socket, next, sink);
}

void agent_emit(struct procfs *procfs, struct snapshot *snapshot,
		const struct next_start_options *next, const struct fact_sink *sink)
{
	emit_listening(procfs, snapshot, false, next, sink);
	emit_listening(procfs, snapshot, true, next, sink);
	snapshot_sort_processes(snapshot);
}

void agent_emit_peers(struct procfs *procfs, struct snapshot *snapshot,
		      const struct fact_socket *socket, const struct fact_sink *sink)
{
	const struct fact_holder *holders;
	size_t n;

	if (!snapshot_is_agents(snapshot, socket))
		return;
	holders = snapshot_holders(snapshot, socket->cookie, &n);
	for (size_t i = 0; i < n; i++) {
		if (snapshot_process_find(snapshot, holders[i].pid))
			continue;
		/* An agent that has just ended had thousands of sockets: nothing is emitted. */
		if (procfs_emit(procfs, holders[i].pid, sink) == 0)
			snapshot_sort_processes(snapshot);
	}
}

/* ---- the work directory ---- */

/*
 * Writes path, as it can be opened here, into buf if it holds mark/. pid: who sees it so (0:
 * anybody).
 */
static bool try_mark(int32_t pid, const char *path, const char *mark, char *buf, size_t size)
{
	char here[PATH_MAX], there[PATH_MAX], root[PROC_PATH_MAX];
	struct stat a, b;
	bool in_here, in_there;

	if (path[0] != '/')
		return false;
	snprintf(here, sizeof(here), "%s/%s", path, mark);
	in_here = stat(here, &a) == 0 && S_ISDIR(a.st_mode);
	if (pid) {
		snprintf(root, sizeof(root), "/proc/%d/root", pid);
		snprintf(here, sizeof(here), "%s/%s", path, mark);
		in_there = root_path_resolve(root, here, there, sizeof(there)) == 0 &&
			   stat(there, &b) == 0 && S_ISDIR(b.st_mode);
		if (in_there && !(in_here && a.st_dev == b.st_dev && a.st_ino == b.st_ino))
			return root_path_resolve(root, path, buf, size) == 0;
	}
	if (in_here)
		snprintf(buf, size, "%s", path);
	return in_here;
}

/*
 * A work directory has meta/; where that was removed the sandboxes in slaves/ still tell what it
 * is.
 */
static bool try_path(int32_t pid, const char *path, char *buf, size_t size)
{
	return try_mark(pid, path, "meta", buf, size) || try_mark(pid, path, "slaves", buf, size);
}

static bool try_agent(int32_t pid, char *buf, size_t size)
{
	char path[PATH_MAX];

	return agent_flag(pid, "work_dir", path, sizeof(path)) && try_path(pid, path, buf, size);
}

bool agent_work_dir_owner(const char *path, uint32_t *uid)
{
	char meta[PATH_MAX];
	struct stat st;

	snprintf(meta, sizeof(meta), "%s/meta", path);
	if (stat(meta, &st) < 0)
		return false;
	*uid = st.st_uid;
	return true;
}

/*
 * A work directory that root owns is preferred: any user may listen on the port, or give his own
 * programs a directory of his own.
 */
struct found {
	char *buf; /* the best so far; "": none */
	size_t size;
	bool roots;
};

/* Returns true when nothing better can follow. */
static bool found_add(struct found *found, const char *path)
{
	uint32_t uid;
	bool roots = agent_work_dir_owner(path, &uid) && uid == 0;

	if (!found->buf[0] || (roots && !found->roots)) {
		snprintf(found->buf, found->size, "%s", path);
		found->roots = roots;
	}
	return found->roots;
}

static bool try_executors(const struct snapshot *snapshot, bool same_netns, struct found *found)
{
	const struct snapshot_process *process;
	char path[PATH_MAX];
	int32_t tried = -1;

	for (size_t i = 0; (process = snapshot_process(snapshot, i)); i++) {
		if (process->work_dir < 0 || process->work_dir == tried ||
		    (process->netns == snapshot_netns(snapshot)) != same_netns ||
		    snapshot_is_elsewhere(snapshot, process))
			continue;
		if (try_path(process->pid, snapshot_work_dir(snapshot, process->work_dir), path,
			     sizeof(path)) &&
		    found_add(found, path))
			return true;
		tried = process->work_dir;
	}
	return false;
}

static bool try_listeners(const struct snapshot *snapshot, bool named_so, struct found *found)
{
	const struct snapshot_agent *agent;
	char path[PATH_MAX];

	for (size_t i = 0; (agent = snapshot_listener(snapshot, i)); i++) {
		if (agent->mesos != named_so || !snapshot_may_be_agent(snapshot, agent))
			continue;
		if (try_agent(agent->pid, path, sizeof(path)) && found_add(found, path))
			return true;
	}
	return false;
}

static int32_t agent_pid(const struct snapshot *snapshot)
{
	const struct snapshot_agent *agent = snapshot_agent(snapshot);

	return agent ? agent->pid : 0;
}

bool agent_work_dir(const struct snapshot *snapshot, char *buf, size_t size)
{
	struct found found = { buf, size, false };

	buf[0] = '\0';
	return try_listeners(snapshot, true, &found) || try_listeners(snapshot, false, &found) ||
	       try_executors(snapshot, true, &found) || try_executors(snapshot, false, &found) ||
	       buf[0];
}

int agent_work_dir_guess(const struct snapshot *snapshot, char *buf, size_t size,
			 struct error *error)
{
	/* DC/OS; packages of Mesos 1.x; packages of 0.2x */
	static const char *const usual[] = { "/var/lib/mesos/slave", "/var/lib/mesos/agent",
					     "/var/lib/mesos", "/var/mesos", "/tmp/mesos" };
	int32_t pid = agent_pid(snapshot);

	if (try_path(pid, snapshot_api_work_dir(snapshot), buf, size))
		return 0;
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (try_path(pid, usual[i], buf, size))
			return 0;
	return error_set(error, -ENOENT, "name it with --work-dir",
			 "find the agent's work directory");
}

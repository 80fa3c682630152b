/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dirents.h"
#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "mesos/environ.h"
#include "mesos/span.h"
#include "observe/proc/procfs_library.h"
#include "base/emit.h"

#define ENVIRON_FIRST (64 * 1024)
#define ENVIRON_MOST  (8 * 1024 * 1024) /* execve(2) allows a quarter of the stack's limit */
#define CMDLINE_MOST  513
#define LINES_BUF     (16 * 1024)

struct procfs {
	int root;	/* /proc */
	uint64_t pidns; /* our own */
	char *environ;
	size_t environ_cap;
	char lines[LINES_BUF];
};

int procfs_new(struct procfs **ret_procfs, struct error *error)
{
	struct procfs *procfs = calloc(1, sizeof(*procfs));

	if (!procfs)
		return error_set(error, -ENOMEM, NULL, "read /proc");
	procfs->root = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (procfs->root < 0) {
		int err = -errno;

		free(procfs);
		return error_set(error, err, "mount proc on /proc", "open /proc");
	}
	procfs->pidns = proc_ns_own("pid");
	procfs->environ_cap = ENVIRON_FIRST;
	procfs->environ = malloc(procfs->environ_cap);
	if (!procfs->environ) {
		procfs_free(procfs);
		return error_set(error, -ENOMEM, NULL, "read /proc");
	}
	*ret_procfs = procfs;
	return 0;
}

void procfs_free(struct procfs *procfs)
{
	if (!procfs)
		return;
	close(procfs->root);
	free(procfs->environ);
	free(procfs);
}

/* The whole environment, into procfs->environ. Returns its length or a negative errno. */
static ssize_t environ_read(struct procfs *procfs, int dir)
{
	for (;;) {
		ssize_t len = proc_read(dir, "environ", procfs->environ, procfs->environ_cap);
		char *larger;

		if (len < 0 || (size_t)len < procfs->environ_cap - 1 ||
		    procfs->environ_cap >= ENVIRON_MOST)
			return len;
		larger = realloc(procfs->environ, procfs->environ_cap * 4);
		if (!larger)
			return -ENOMEM;
		procfs->environ = larger;
		procfs->environ_cap *= 4;
	}
}

/* Its own getpid(); 0: not known. */
static int32_t ns_pid_of(int dir)
{
	struct proc_status status;

	return proc_status_read(dir, "status", &status) < 0 ? 0 : status.ns_pid;
}

static const char *text_of(struct mesos_span span)
{
	return span.p ? span.p : "";
}

static void fill_environ(struct fact_process *process, const struct mesos_env *env,
			 char *container_id, size_t size)
{
	process->slave_pid = text_of(env->slave_pid_text);
	process->slave_id = text_of(env->slave_id);
	process->framework_id = text_of(env->framework_id);
	process->executor_id = text_of(env->executor_id);
	process->directory = text_of(env->directory);
	process->container_id = mesos_span_copy(env->container_id, container_id, size);
	process->checkpoint = env->checkpoint;
	process->recovery_timeout = env->recovery_timeout_ns;
	process->shutdown_grace = env->shutdown_grace_ns;
	process->backoff_max = env->backoff_max_ns;
	process->domain_socket = text_of(env->domain_socket);
}

/*
 * Puts what its directory tells; env is NULL when the environment may not be read. Of a process
 * that is not looked at closely (a task among thousands) only what tells whose it is.
 */
static int emit_process(struct procfs *procfs, int dir, const struct procfs_row *row,
			const struct mesos_env *env, bool closely, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_PROCESS, .mono = now_mono() };
	struct fact_process *process = &fact.process;
	char exe[PATH_MAX] = "", cmdline[CMDLINE_MOST] = "", cgroup[PATH_MAX] = "";
	char container_id[NAME_MAX + 1];
	struct procfs_library library = { .from = "" };
	struct proc_stat stat;
	int err = proc_stat_read(dir, "stat", &stat);

	if (err < 0)
		return err;
	process->pid = row->pid;
	process->start = stat.start;
	process->ppid = stat.ppid;
	process->comm = stat.comm;
	process->pidns = proc_ns(dir, "pid");
	process->ns_pid = process->pidns == procfs->pidns ? row->pid : ns_pid_of(dir);
	process->uid = proc_uid(dir);
	if (closely) {
		proc_exe(dir, exe, sizeof(exe), &process->exe_deleted);
		proc_cmdline(dir, cmdline, sizeof(cmdline));
		proc_cgroup(dir, cgroup, sizeof(cgroup));
	}
	process->exe = exe;
	process->cmdline = cmdline;
	process->cgroup = cgroup;
	process->netns = row->netns;
	process->environ_read = env ? EW_YES : EW_NO;
	if (env)
		fill_environ(process, env, container_id, sizeof(container_id));
	if (closely)
		procfs_library_find(dir, process->directory, procfs->lines, sizeof(procfs->lines),
				    &library);
	process->library = library.path;
	process->library_version = library.version;
	process->version_from = library.from;
	fact_emit(sink, &fact);
	return 0;
}

static int process_open(struct procfs *procfs, int32_t pid)
{
	char name[16];
	int dir;

	snprintf(name, sizeof(name), "%d", pid);
	dir = openat(procfs->root, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}

/* A look at one process: FACT_PROCESS only if it is, or was started by, an executor. */
static int walk_one(struct procfs *procfs, int dir, struct procfs_row *row,
		    const struct procfs_visitor *visitor, const struct fact_sink *sink)
{
	static const char key[] = "MESOS_EXECUTOR_ID=";
	ssize_t len = environ_read(procfs, dir);
	struct mesos_env env;
	bool matters;

	if (len < 0)
		return (int)len;
	row->netns = proc_ns(dir, "net");
	if (!memmem(procfs->environ, (size_t)len, key, sizeof(key) - 1))
		return 0;
	mesos_env_parse(procfs->environ, (size_t)len, &env);
	if (!(env.seen & MESOS_ENV_EXECUTOR_ID))
		return 0;
	row->mesos = true;
	matters = !visitor->library_matters || visitor->library_matters(visitor->ctx, row->pid);
	return emit_process(procfs, dir, row, &env, matters, sink);
}

/*
 * One fact for all that are denied: without privilege that is most of a host. Init is no executor,
 * and may be out of reach even for root (in a sandbox).
 */
static void emit_denied(const struct fact_sink *sink, int32_t first, size_t n, int err)
{
	if (n == 1)
		emit_unread(sink, first, 0, err, "/proc/%d/environ", first);
	else if (n)
		emit_unread(sink, 0, 0, err, "/proc/%d/environ and those of %zu more processes",
			    first, n - 1);
}

int procfs_walk(struct procfs *procfs, const struct fact_sink *sink,
		const struct procfs_visitor *visitor, struct error *error)
{
	struct dirents list;
	int32_t denied = 0;
	size_t n_denied = 0;
	int why_denied = 0, pid, err = dirents_open(&list, procfs->root, ".");

	if (err < 0)
		return error_set(error, err, NULL, "list /proc");
	while ((pid = dirents_next(&list)) >= 0) {
		struct procfs_row row = { .pid = pid };
		int dir = process_open(procfs, pid);

		if (dir < 0)
			continue;
		err = walk_one(procfs, dir, &row, visitor, sink);
		close(dir);
		if (proc_is_gone(err))
			continue;
		if (err < 0 && row.pid != 1 && n_denied++ == 0) {
			denied = row.pid;
			why_denied = err;
		}
		if (visitor->each)
			visitor->each(visitor->ctx, &row);
	}
	dirents_close(&list);
	emit_denied(sink, denied, n_denied, why_denied);
	return pid == -ENOENT ? 0 : error_set(error, pid, NULL, "list /proc to its end");
}

int procfs_emit(struct procfs *procfs, int32_t pid, const struct fact_sink *sink)
{
	int dir = process_open(procfs, pid);
	struct procfs_row row = { .pid = pid };
	struct mesos_env env = { 0 };
	ssize_t len;
	int err;

	if (dir < 0)
		return -ESRCH;
	row.netns = proc_ns(dir, "net");
	len = environ_read(procfs, dir);
	if (len >= 0)
		mesos_env_parse(procfs->environ, (size_t)len, &env);
	else if (!proc_is_gone((int)len))
		emit_unread(sink, pid, 0, (int)len, "/proc/%d/environ", pid);
	err = emit_process(procfs, dir, &row, len < 0 ? NULL : &env,
			   env.seen & MESOS_ENV_EXECUTOR_ID, sink);
	close(dir);
	return proc_is_gone(err) ? -ESRCH : err;
}

uint64_t procfs_start(struct procfs *procfs, int32_t pid)
{
	int dir = process_open(procfs, pid);
	struct proc_stat stat = { .start = 0 };

	if (dir < 0)
		return 0;
	if (proc_stat_read(dir, "stat", &stat) < 0)
		stat.start = 0;
	close(dir);
	return stat.start;
}

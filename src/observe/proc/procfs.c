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
#include "base/pid_set.h"
#include "base/proc.h"
#include "facts.h"
#include "mesos/environ.h"
#include "mesos/span.h"
#include "observe/proc/cgroup_frozen.h"
#include "observe/proc/known_libraries.h"
#include "observe/proc/pidns_init.h"
#include "observe/proc/procfs_library.h"
#include "observe/proc/procfs_state.h"
#include "base/emit.h"

#define ENVIRON_FIRST (64 * 1024)
#define ENVIRON_MOST  (8 * 1024 * 1024) /* execve(2) allows a quarter of the stack's limit */
#define CMDLINE_MOST  513
/* 32 nested ones at most (kernel/pid_namespace.c, MAX_PID_NS_LEVEL), of 20 digits and a comma. */
#define PIDNS_OUTER_MAX 700
#define LINES_BUF	(16 * 1024)

struct procfs {
	int root;	/* /proc */
	uint64_t pidns; /* our own */
	char *environ;
	size_t environ_cap;
	char lines[LINES_BUF];

	/* The list: its directory, and the process that procfs_next() returned last. */
	struct dirents list;
	struct procfs_row row;
	int row_dir;
	struct mesos_env row_env;
	struct {
		int32_t first;
		size_t n;
		int err; /* of the first */
	} denied;

	struct cgroup_mounts mounts;
	struct cgroup_frozen_last frozen_last; /* of the list under way */
	bool keeps_libraries;		       /* likewise: those of the last list hold */
	const struct pid_set *odd; /* likewise: with threads to be read; NULL: not known */
	struct known_libraries known;
	struct stuck_threads stuck;
	struct library_files own_files, *files;
	uint32_t half; /* of the list: 1 or 2; 0: all of it */

	/* The process that was emitted last, with its strings. */
	struct fact fact;
	struct proc_stat stat;
	struct procfs_library library;
	struct procfs_state state;
	char exe[PATH_MAX], cmdline[CMDLINE_MOST];
	struct proc_cgroups cgroups;
	char pidns_outer[PIDNS_OUTER_MAX];
	char container_id[NAME_MAX + 1];
};

void procfs_bound(struct procfs *procfs, int64_t until)
{
	procfs->own_files.until = until;
}

int procfs_new(struct procfs **ret_procfs, struct error *error)
{
	struct procfs *procfs = calloc(1, sizeof(*procfs));

	if (!procfs)
		return error_set(error, -ENOMEM, NULL, "read /proc");
	procfs->list.fd = procfs->row_dir = -1;
	procfs->root = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (procfs->root < 0) {
		int err = -errno;

		free(procfs);
		return error_set(error, err, "mount proc on /proc", "open /proc");
	}
	procfs->files = &procfs->own_files;
	pthread_mutex_init(&procfs->own_files.lock, NULL);
	procfs->pidns = proc_ns_own("pid");
	cgroup_mounts_read(&procfs->mounts);
	procfs->environ_cap = ENVIRON_FIRST;
	procfs->environ = malloc(procfs->environ_cap);
	if (!procfs->environ) {
		procfs_free(procfs);
		return error_set(error, -ENOMEM, NULL, "read /proc");
	}
	*ret_procfs = procfs;
	return 0;
}

static void row_close(struct procfs *procfs)
{
	if (procfs->row_dir >= 0)
		close(procfs->row_dir);
	procfs->row_dir = -1;
}

static void list_close(struct procfs *procfs)
{
	row_close(procfs);
	dirents_close(&procfs->list);
}

void procfs_free(struct procfs *procfs)
{
	if (!procfs)
		return;
	list_close(procfs);
	close(procfs->root);
	pthread_mutex_destroy(&procfs->own_files.lock);
	procfs_state_clear(&procfs->stuck);
	known_libraries_free(&procfs->known);
	free(procfs->environ);
	free(procfs);
}

/* The whole environment, into procfs->environ. Returns its length or a negative errno. */
static ssize_t environ_read(struct procfs *procfs, int dir)
{
	for (;;) {
		ssize_t len = proc_read(dir, "environ", procfs->environ, procfs->environ_cap);
		char *larger;

		if (len < 0 || (size_t)len < procfs->environ_cap - 1)
			return len;
		if (procfs->environ_cap >= ENVIRON_MOST)
			return -E2BIG;
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

/* Only who may trace a process may read its namespaces; how deep it is nested all may. */
static uint64_t pidns_of(const struct procfs *procfs, int dir)
{
	struct proc_status status;
	uint64_t pidns = proc_ns(dir, "pid");

	if (pidns || proc_status_read(dir, "status", &status) < 0)
		return pidns;
	return status.ns_depth == 1 ? procfs->pidns : 0;
}

static const char *text_of(struct mesos_span span)
{
	return span.p ? span.p : "";
}

static void fill_environ(struct procfs *procfs, const struct mesos_env *env)
{
	struct fact_process *process = &procfs->fact.process;

	process->slave_pid = text_of(env->slave_pid_text);
	process->slave_id = text_of(env->slave_id);
	process->framework_id = text_of(env->framework_id);
	process->executor_id = text_of(env->executor_id);
	process->directory = text_of(env->directory);
	process->container_id = mesos_span_copy(env->container_id, procfs->container_id,
						sizeof(procfs->container_id));
	process->checkpoint = env->checkpoint;
	process->recovery_timeout = env->recovery_timeout_ns;
	process->shutdown_grace = env->shutdown_grace_ns;
	process->backoff_max = env->backoff_max_ns;
	process->domain_socket = text_of(env->domain_socket);
}

static void fill_state(struct procfs *procfs, int dir, int32_t pid, const struct fact_sink *sink)
{
	struct fact_process *process = &procfs->fact.process;
	int err;

	proc_cgroups_read(dir, &procfs->cgroups);
	process->frozen =
		cgroup_frozen_once(&procfs->frozen_last, &procfs->mounts, &procfs->cgroups);
	if (process->frozen == EW_UNKNOWN)
		process->frozen = cgroup_frozen_by_wchan(dir, procfs->stat.state);
	if (process->frozen == EW_UNKNOWN)
		emit_unread(sink, pid, 0, -EACCES, "the cgroup's state and /proc/%d/wchan", pid);
	if (procfs->odd && !pid_set_has(procfs->odd, pid) && !procfs_state_is_stuck(&procfs->stat))
		return; /* its threads run or sleep, and it has no tracer */
	err = procfs_state_read(dir, pid, &procfs->stat,
				process->frozen == EW_YES ? NULL : &procfs->stuck, &procfs->state);
	if (err < 0)
		emit_unread(sink, pid, 0, err, "/proc/%d/task", pid);
	process->in_state = procfs->state.in_state;
	process->tracer = procfs->state.tracer;
}

static void fill_library(struct procfs *procfs, int dir)
{
	int32_t pid = procfs->fact.process.pid;
	uint64_t program = procfs->keeps_libraries
				   ? known_program(&procfs->stat, procfs->exe, procfs->cmdline)
				   : 0;
	int64_t now = procfs->fact.mono;

	if (known_library_find(&procfs->known, pid, program, now, &procfs->library))
		return;
	procfs_library_find(dir, procfs->lines, sizeof(procfs->lines), procfs->files,
			    &procfs->library);
	known_library_add(&procfs->known, pid, program, now, &procfs->library);
}

/* What costs more than all the rest: not for a task among thousands. */
static void fill_closely(struct procfs *procfs, int dir, const struct fact_sink *sink)
{
	struct fact_process *process = &procfs->fact.process;
	const struct proc_cgroup_path *cgroup;

	fill_state(procfs, dir, process->pid, sink);
	process->pidns_init = pidns_init_find(process->pid, process->pidns, procfs->pidns);
	/* Each pid namespace has one for as long as it has any other process. */
	if (process->pidns && !process->pidns_init)
		emit_unread(sink, process->pid, 0, -ESRCH, "the first process of /proc/%d/ns/pid",
			    process->pid);
	if (process->pidns && process->pidns == procfs->pidns)
		snprintf(procfs->pidns_outer, sizeof(procfs->pidns_outer), "none");
	else
		pidns_outer_find(dir, procfs->pidns_outer, sizeof(procfs->pidns_outer));
	proc_exe(dir, procfs->exe, sizeof(procfs->exe), &process->exe_deleted);
	proc_cmdline(dir, procfs->cmdline, sizeof(procfs->cmdline));
	cgroup = proc_cgroups_systemd(&procfs->cgroups);
	process->cgroup = cgroup->path;
	if (cgroup->err < 0 && !proc_is_gone(cgroup->err))
		emit_unread(sink, process->pid, 0, cgroup->err, "/proc/%d/cgroup", process->pid);
	fill_library(procfs, dir);
}

/*
 * Emits what the process' directory says; env is NULL where the environment may not be read.
 * closely: with the program, the arguments, the cgroup and the library.
 */
static int emit_process(struct procfs *procfs, int dir, const struct procfs_row *row,
			const struct mesos_env *env, bool closely, const struct fact_sink *sink)
{
	struct fact_process *process = &procfs->fact.process;
	int err = proc_stat_read(dir, "stat", &procfs->stat);

	procfs->fact = (struct fact){ .type = FACT_PROCESS, .mono = now_mono() };
	if (err < 0)
		return err;
	process->pid = row->pid;
	process->start = procfs->stat.start;
	process->ppid = procfs->stat.ppid;
	process->pgrp = procfs->stat.pgrp;
	process->session = procfs->stat.session;
	process->comm = procfs->stat.comm;
	process->pidns = pidns_of(procfs, dir);
	if (closely && !process->pidns)
		emit_unread(sink, row->pid, 0, -EACCES, "/proc/%d/ns/pid", row->pid);
	process->ns_pid = process->pidns == procfs->pidns ? row->pid : ns_pid_of(dir);
	process->uid = proc_uid(dir);
	process->netns = row->netns;
	process->environ_read = env ? EW_YES : EW_NO;
	process->directory = "";
	if (env)
		fill_environ(procfs, env);
	procfs->exe[0] = procfs->cmdline[0] = '\0';
	process->cgroup = "";
	procfs->pidns_outer[0] = '\0';
	procfs->library = (struct procfs_library){ .from = "" };
	procfs->state = (struct procfs_state){ .letter = { procfs->stat.state } };
	if (closely)
		fill_closely(procfs, dir, sink);
	process->state = procfs->state.letter;
	process->exe = procfs->exe;
	process->pidns_outer = procfs->pidns_outer;
	process->cmdline = procfs->cmdline;
	process->library = procfs->library.path;
	process->library_version = procfs->library.version;
	process->version_from = procfs->library.from;
	process->library_build_id = procfs->library.build_id;
	process->library_deleted = procfs->library.deleted;
	fact_emit(sink, &procfs->fact);
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

/* Reads the environment of the row's process: has it MESOS_EXECUTOR_ID? */
static int row_read(struct procfs *procfs)
{
	static const char key[] = "MESOS_EXECUTOR_ID=";
	ssize_t len = environ_read(procfs, procfs->row_dir);

	if (len < 0)
		return (int)len;
	procfs->row.netns = proc_ns(procfs->row_dir, "net");
	if (!memmem(procfs->environ, (size_t)len, key, sizeof(key) - 1))
		return 0;
	mesos_env_parse(procfs->environ, (size_t)len, &procfs->row_env);
	procfs->row.mesos = procfs->row_env.seen & MESOS_ENV_EXECUTOR_ID;
	return 0;
}

/* Init is no executor, and may be out of reach even for root (in a sandbox). */
static void note_denied(struct procfs *procfs, int32_t pid, int err)
{
	if (err >= 0 || pid == 1 || procfs->denied.n++)
		return;
	procfs->denied.first = pid;
	procfs->denied.err = err;
}

/* What is known of many processes at once holds for one list, not for what is read later. */
static void list_forget(struct procfs *procfs)
{
	procfs->frozen_last.known = false;
	procfs->keeps_libraries = false;
	procfs->odd = NULL;
}

void procfs_list_keep_libraries(struct procfs *procfs)
{
	procfs->keeps_libraries = true;
	known_libraries_begin(&procfs->known);
}

void procfs_list_threads(struct procfs *procfs, const struct pid_set *odd)
{
	procfs->odd = odd;
}

int procfs_list(struct procfs *procfs, struct error *error)
{
	int err;

	list_close(procfs);
	list_forget(procfs);
	procfs->denied.n = 0;
	procfs_state_begin(&procfs->stuck);
	procfs->own_files.n = 0;
	err = dirents_open(&procfs->list, procfs->root, ".");
	return err < 0 ? error_set(error, err, NULL, "list /proc") : 0;
}

void procfs_halves(struct procfs *first, struct procfs *second)
{
	first->half = second ? 1 : 0;
	if (!second)
		return;
	second->half = 2;
	second->files = &first->own_files;
}

/* Pids that follow each other are often of one executor: both halves get such and such. */
static bool is_ours(const struct procfs *procfs, int pid)
{
	return !procfs->half || procfs->half == 1 + ((uint32_t)pid * 2654435761U >> 31);
}

int procfs_next(struct procfs *procfs, struct procfs_row *row, struct error *error)
{
	for (;;) {
		int pid = dirents_next(&procfs->list), err;

		row_close(procfs);
		if (pid < 0) {
			list_close(procfs);
			return pid == -ENOENT
				       ? 0
				       : error_set(error, pid, NULL, "list /proc to its end");
		}
		if (!is_ours(procfs, pid))
			continue;
		procfs->row_dir = process_open(procfs, pid);
		if (proc_is_gone(procfs->row_dir))
			continue;
		if (procfs->row_dir < 0)
			return error_set(error, procfs->row_dir, NULL, "open /proc/%d", pid);
		procfs->row = (struct procfs_row){ .pid = pid };
		err = row_read(procfs);
		if (proc_is_gone(err))
			continue;
		note_denied(procfs, pid, err);
		*row = procfs->row;
		return 1;
	}
}

int procfs_emit_row(struct procfs *procfs, bool closely, const struct fact_sink *sink)
{
	int err = emit_process(procfs, procfs->row_dir, &procfs->row, &procfs->row_env, closely,
			       sink);

	if (proc_is_gone(err))
		return -ESRCH;
	note_denied(procfs, procfs->row.pid, err);
	return err;
}

void procfs_denied_add(struct procfs *procfs, const struct procfs *other)
{
	if (!procfs->denied.n) {
		procfs->denied.first = other->denied.first;
		procfs->denied.err = other->denied.err;
	}
	procfs->denied.n += other->denied.n;
}

void procfs_emit_denied(const struct procfs *procfs, const struct fact_sink *sink)
{
	if (procfs->denied.n == 1)
		emit_unread(sink, procfs->denied.first, 0, procfs->denied.err, "/proc/%d/environ",
			    procfs->denied.first);
	else if (procfs->denied.n)
		emit_unread(sink, 0, 0, procfs->denied.err,
			    "/proc/%d/environ and those of %zu more processes",
			    procfs->denied.first, procfs->denied.n - 1);
}

const struct fact_process *procfs_emitted(const struct procfs *procfs)
{
	return &procfs->fact.process;
}

static int emit_one(struct procfs *procfs, int32_t pid, bool closely, const struct fact_sink *sink)
{
	int dir = process_open(procfs, pid);
	struct procfs_row row = { .pid = pid };
	struct mesos_env env = { 0 };
	ssize_t len;
	int err;

	list_forget(procfs);
	if (proc_is_gone(dir))
		return -ESRCH;
	if (dir < 0) {
		emit_unread(sink, pid, 0, dir, "/proc/%d", pid);
		return dir;
	}
	row.netns = proc_ns(dir, "net");
	len = environ_read(procfs, dir);
	if (len >= 0)
		mesos_env_parse(procfs->environ, (size_t)len, &env);
	else if (!proc_is_gone((int)len))
		emit_unread(sink, pid, 0, (int)len, "/proc/%d/environ", pid);
	err = emit_process(procfs, dir, &row, len < 0 ? NULL : &env,
			   closely || env.seen & MESOS_ENV_EXECUTOR_ID, sink);
	close(dir);
	if (proc_is_gone(err))
		return -ESRCH;
	if (err < 0)
		emit_unread(sink, pid, 0, err, "/proc/%d/stat", pid);
	return err;
}

int procfs_emit(struct procfs *procfs, int32_t pid, const struct fact_sink *sink)
{
	return emit_one(procfs, pid, false, sink);
}

int procfs_emit_closely(struct procfs *procfs, int32_t pid, const struct fact_sink *sink)
{
	return emit_one(procfs, pid, true, sink);
}

bool procfs_recheck(struct procfs *procfs, const struct fact_sink *sink)
{
	int32_t pid;
	bool more;

	while ((more = procfs_state_due(&procfs->stuck, &pid)) && pid)
		procfs_emit(procfs, pid, sink);
	return more;
}

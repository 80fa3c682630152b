/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What keeps an executor from answering: a tracer, a frozen cgroup. */
#include "node.h"
#include "procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* All threads; how many could be seized. */
static int seize_all(pid_t pid, bool stop)
{
	char *path = lab_fmt("/proc/%d/task", pid);
	DIR *dir = opendir(path);
	struct dirent *d;
	int seized = 0;

	free(path);
	while (dir && (d = readdir(dir))) {
		pid_t tid = atoi(d->d_name);

		if (!tid || ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0)
			continue;
		seized++;
		if (stop)
			ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	}
	if (dir)
		closedir(dir);
	return seized;
}

/* As strace: each thread goes on with the signal that it stopped for. stop: none goes on. */
static void tracer_main(pid_t pid, bool stop, int report)
{
	int status, seized;
	pid_t tid;

	prctl(PR_SET_NAME, "strace");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(0, report - 1, 0); /* a copy would keep the node's connections open */
	close_range(report + 1, ~0U, 0);
	seized = seize_all(pid, stop);
	if (!seized || write(report, &seized, sizeof(seized)) != sizeof(seized))
		_exit(1);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = WIFSTOPPED(status) && !(status >> 16) ? WSTOPSIG(status) : 0;

		if (WIFSTOPPED(status) && !stop)
			ptrace(PTRACE_CONT, tid, NULL, sig);
	}
	_exit(0);
}

pid_t node_trace(pid_t pid, bool stop)
{
	int report[2], seized;
	pid_t tracer;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	tracer = fork();
	if (tracer == 0)
		tracer_main(pid, stop, report[1]);
	close(report[1]);
	if (tracer > 0 && read(report[0], &seized, sizeof(seized)) != sizeof(seized))
		tracer = -ESRCH;
	if (tracer > 0 && stop)
		procs_await_state(pid, 't');
	close(report[0]);
	return tracer;
}

/* Where the freezer's hierarchy, or cgroup2, is mounted; NULL: nowhere. */
static char *hierarchy(int version)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	char *found = NULL;
	struct mntent *m;

	while (f && !found && (m = getmntent(f)))
		if (version == 2 ? !strcmp(m->mnt_type, "cgroup2")
				 : !strcmp(m->mnt_type, "cgroup") && hasmntopt(m, "freezer"))
			found = lab_strdup(m->mnt_dir);
	if (f)
		endmntent(f);
	return found;
}

static int write_word(const char *dir, const char *name, const char *word)
{
	char *path = lab_fmt("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, word, strlen(word)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(path);
	return err;
}

static int write_frozen(const char *dir, int version, bool frozen)
{
	if (version == 2)
		return write_word(dir, "cgroup.freeze", frozen ? "1" : "0");
	return write_word(dir, "freezer.state", frozen ? "FROZEN" : "THAWED");
}

/* True once the kernel has frozen all threads in it. */
static bool is_frozen(const char *dir, int version)
{
	char *path = lab_fmt("%s/%s", dir, version == 2 ? "cgroup.events" : "freezer.state");
	FILE *f = fopen(path, "re");
	char line[64];
	bool frozen = false;

	while (f && fgets(line, sizeof(line), f))
		frozen |= !strncmp(line, version == 2 ? "frozen 1" : "FROZEN",
				   6 + 2 * (version == 2));
	if (f)
		fclose(f);
	free(path);
	return frozen;
}

static char *cgroup_of(const struct node_exec *e, int version)
{
	char *top = hierarchy(version), *dir = NULL;

	if (top)
		dir = lab_fmt("%s/execwatch-lab-%d-%s", top, getpid(), e->l->container_id);
	free(top);
	return dir;
}

int node_freeze(struct node_exec *e, pid_t pid, int version)
{
	char *dir = cgroup_of(e, version), number[16];
	int err = dir ? 0 : -ENOENT;

	snprintf(number, sizeof(number), "%d", pid);
	if (!err && mkdir(dir, 0755) < 0 && errno != EEXIST)
		err = -errno;
	if (!err)
		err = write_word(dir, "cgroup.procs", number);
	if (!err)
		err = write_frozen(dir, version, true);
	if (!err)
		e->frozen = version;
	for (int ms = 0; !err && !is_frozen(dir, version); ms++) {
		if (ms == 5000)
			err = -ETIMEDOUT;
		usleep(1000);
	}
	free(dir);
	return err;
}

/* Moves it to the top of the hierarchy and removes the cgroup. */
int node_thaw(struct node_exec *e, pid_t pid)
{
	char *dir, *top, number[16];
	int err;

	if (!e->frozen)
		return -EINVAL;
	dir = cgroup_of(e, e->frozen);
	top = hierarchy(e->frozen);
	snprintf(number, sizeof(number), "%d", pid);
	err = write_frozen(dir, e->frozen, false);
	write_word(top, "cgroup.procs", number); /* it may be dead already */
	e->frozen = 0;
	rmdir(dir);
	free(dir);
	free(top);
	return err;
}

void node_thaw_all(struct node *n)
{
	for (size_t i = 0; i < n->n_execs; i++) {
		char *state = n->execs[i].frozen ? node_exec_state(n, &n->execs[i]) : NULL;

		if (state)
			node_thaw(&n->execs[i], node_exec_pid(state, "pid"));
		free(state);
	}
}

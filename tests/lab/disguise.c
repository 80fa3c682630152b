/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "disguise.h"

#include "env.h"
#include "netns.h"
#include "procs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int copy_fd(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0)
		return -errno;
	while (st.st_size > 0) {
		ssize_t n = sendfile(to, from, NULL, st.st_size);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		st.st_size -= n;
	}
	return 0;
}

int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	int err = in < 0 || out < 0 ? -errno : copy_fd(in, out);

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}

/* A hard link of one copy, so that all executors share their text pages. */
int disguise_install(const char *dir, const char *name)
{
	char *first = lab_fmt("%s/bin/mesos-agent", dir);
	char *path = lab_fmt("%s/bin/%s", dir, name);
	int err = 0;

	if (access(first, X_OK) < 0)
		err = copy_file("/proc/self/exe", first);
	if (!err && link(first, path) < 0 && errno != EEXIST)
		err = -errno;
	free(first);
	free(path);
	return err;
}

int disguise_install_all(const char *dir)
{
	static const char *const programs[] = { "mesos-executor",
						"mesos-docker-executor",
						"mesos-containerizer",
						"java",
						"sleep",
						"curl" };
	int err = 0;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && !err; i++)
		err = disguise_install(dir, programs[i]);
	return err;
}

/* The path to exec for a program of DIR/bin; a deleted one gets a copy that removes itself. */
static char *exe_path(const struct launch *l, const char *name)
{
	char *path, *dir;

	if (!launch_is(l->exe, "deleted"))
		return lab_fmt("%s/bin/%s", l->dir, name);
	dir = lab_fmt("%s/bin/%s", l->dir, l->container_id);
	mkdir(dir, 0755);
	path = lab_fmt("%s/%s", dir, name);
	free(dir);
	copy_file("/proc/self/exe", path);
	return path;
}

static void exec_plain(const struct launch *l, const char *name)
{
	char *dir = lab_fmt("--launcher_dir=%s/bin", l->dir);
	char *argv[] = { (char *)name, dir, NULL };

	execve(exe_path(l, name), argv, env_executor(l));
}

static void exec_docker(const struct launch *l)
{
	char *container = lab_fmt("--container=mesos-%s.%s", l->slave_id, l->container_id);
	char *launcher = lab_fmt("--launcher_dir=%s/bin", l->dir);
	char *sandbox = lab_fmt("--sandbox_directory=%s", l->directory);
	char *argv[] = { "mesos-docker-executor",
			 container,
			 "--docker=docker",
			 "--docker_socket=/var/run/docker.sock",
			 "--help=false",
			 "--initialize_driver_logging=true",
			 launcher,
			 "--logbufsecs=0",
			 "--logging_level=INFO",
			 "--mapped_directory=/mnt/mesos/sandbox",
			 "--quiet=false",
			 sandbox,
			 "--stop_timeout=0ns",
			 NULL };

	execve(exe_path(l, "mesos-docker-executor"), argv, env_executor(l));
}

static void exec_java(const struct launch *l)
{
	char *argv[] = { "java",
			 "-Xmx128m",
			 "-cp",
			 "/opt/executor/executor.jar",
			 "org.example.mesos.Executor",
			 NULL };

	execve(exe_path(l, "java"), argv, env_executor(l));
}

static void exec_sh(const struct launch *l)
{
	/* More than one command: else sh would become the executor itself. */
	char *script =
		lab_fmt("%s --launcher_dir=%s/bin; exit $?", exe_path(l, "mesos-executor"), l->dir);
	char *argv[] = { "sh", "-c", script, NULL };

	execve("/bin/sh", argv, env_executor(l));
}

/* As Mesos' launcher sealing does: exec of /proc/self/fd/N of a memfd. */
static void exec_memfd(const struct launch *l)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("mesos-executor", MFD_CLOEXEC);
	char *path = lab_fmt("/proc/self/fd/%d", fd);
	char *dir = lab_fmt("--launcher_dir=%s/bin", l->dir);
	char *argv[] = { "mesos-executor", dir, NULL };

	if (in >= 0 && fd >= 0 && copy_fd(in, fd) == 0)
		execve(path, argv, env_executor(l));
}

static void exec_containerizer(const struct launch *l)
{
	char *path = lab_fmt("%s/bin/mesos-containerizer", l->dir);
	char *argv[] = { path, "launch", NULL };

	execve(path, argv, env_containerizer(l));
}

static void disguise_dispatch(const struct launch *l)
{
	if (launch_is(l->as, "docker"))
		exec_docker(l);
	else if (launch_is(l->as, "java"))
		exec_java(l);
	else if (launch_is(l->as, "sh"))
		exec_sh(l);
	else if (launch_is(l->as, "memfd"))
		exec_memfd(l);
	else
		exec_plain(l, "mesos-executor");
}

static void put_conf(const struct launch *l)
{
	struct buf line = { 0 };

	launch_format(l, &line);
	procs_place_fd(procs_memfd("launch", line.data, line.len), FD_CONF);
	buf_free(&line);
}

void disguise_exec(const struct launch *l)
{
	put_conf(l);
	disguise_dispatch(l);
}

struct launch *disguise_read_conf(void)
{
	struct launch *l = launch_new();
	struct stat st;
	char *line, *bad;

	if (fstat(FD_CONF, &st) < 0)
		lab_die("this program is started by a lab node only");
	line = lab_calloc(1, st.st_size + 1);
	if (pread(FD_CONF, line, st.st_size, 0) != st.st_size)
		lab_die("cannot read the launch");
	close(FD_CONF);
	bad = launch_parse(l, line);
	if (bad)
		lab_die("bad word '%s' in the launch", bad);
	free(line);
	return l;
}

static void redirect(const char *dir, const char *name, int to)
{
	char *path = lab_fmt("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || dup2(fd, to) < 0)
		lab_die("open '%s': %s", path, strerror(errno));
	close(fd);
	free(path);
}

/* The child's side; never returns. */
static void container_main(const struct launch *l)
{
	int null = open("/dev/null", O_RDONLY);
	int err;

	setsid();
	dup2(null, STDIN_FILENO);
	close(null);
	redirect(l->directory, "stdout", STDOUT_FILENO);
	if (launch_is(l->log, "null"))
		redirect("/dev", "null", STDERR_FILENO);
	else if (l->log[0] == '/')
		redirect("", l->log, STDERR_FILENO);
	else
		redirect(l->directory, "stderr", STDERR_FILENO);
	close(FD_NOTIFY);
	if (chdir(l->directory) < 0)
		lab_die("chdir '%s': %s", l->directory, strerror(errno));
	if (launch_is(l->ns, "pid") && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		lab_die("make mounts private: %s", strerror(errno));
	if (launch_is(l->ns, "net")) {
		err = netns_enter_own(launch_number(l->node_ns), launch_number(l->net_index),
				      strchr(l->agent_ip, ':'));
		if (err < 0)
			lab_die("own network namespace: %s", strerror(-err));
	}
	put_conf(l);
	if (launch_is(l->as, "containerizer") || launch_is(l->ns, "pid"))
		exec_containerizer(l);
	else
		disguise_dispatch(l);
	lab_die("exec: %s", strerror(errno));
}

/* Like fork(), but into new namespaces. */
pid_t disguise_container(const struct launch *l)
{
	unsigned long flags = SIGCHLD;
	pid_t pid;

	if (launch_is(l->ns, "pid"))
		flags |= CLONE_NEWPID | CLONE_NEWNS;
	pid = syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		container_main(l);
	return pid;
}

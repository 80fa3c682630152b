/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node.h"
#include "procs.h"
#include "disguise.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

const char *node_agent_ip(const struct node_agent *a)
{
	return *a->spec->ip ? a->spec->ip : a->node->spec.ip;
}

static void make_dir_of(const char *dir, const char *sub, const char *name, uid_t uid)
{
	char *path = lab_fmt("%s/%s/%s", dir, sub, name);

	checkpoint_mkdirs(path);
	if (chown(path, uid, uid) < 0)
		lab_die("chown '%s': %s", path, strerror(errno));
	free(path);
}

/* Lets an agent of another user read the node's files and write where the lab's processes do. */
static void open_dirs(struct node_agent *a)
{
	static const char *const shared[] = { "agents", "state", "lib" };
	uid_t uid = launch_number(a->spec->uid);
	const char *dir = a->node->dir;

	if (!uid)
		return;
	node_let_in(a->node);
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		char *path = lab_fmt("%s/%s", dir, shared[i]);

		if (chmod(path, 0777) < 0)
			lab_die("chmod '%s': %s", path, strerror(errno));
		free(path);
	}
	make_dir_of(dir, "work", a->spec->name, uid);
	make_dir_of(dir, "run", a->spec->name, uid);
}

/* Like fork(), but into a pid namespace if the spec wants it. */
static pid_t agent_fork(const struct node_agent *a)
{
	unsigned long flags = SIGCHLD;

	if (launch_is(a->spec->ns, "pid"))
		flags |= CLONE_NEWPID | CLONE_NEWNS;
	else if (*a->spec->boot_id)
		flags |= CLONE_NEWNS;
	return syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
}

/* As a container's: /proc shows its own processes, and boot_id what the container was given. */
static void enter_own_view(const struct node_agent *a)
{
	bool pid = launch_is(a->spec->ns, "pid"), boot = *a->spec->boot_id;
	char *path = lab_fmt("%s/agents/%s.boot_id", a->node->dir, a->spec->name);

	if ((pid || boot) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		lab_die("make mounts private: %s", strerror(errno));
	if (pid) {
		procs_place_fd(open("/proc", O_PATH | O_DIRECTORY), FD_HOST_PROC);
		if (mount("proc", "/proc", "proc", 0, NULL) < 0)
			lab_die("mount proc: %s", strerror(errno));
	}
	if (boot) {
		node_write_file(path, a->spec->boot_id);
		if (mount(path, "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL) < 0)
			lab_die("bind a boot id: %s", strerror(errno));
	}
	free(path);
}

static void become(uid_t uid)
{
	if (uid && (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0))
		lab_die("setuid: %s", strerror(errno));
}

enum { ENV_OWN = 3, ENV_MORE = 8 }; /* variables of its environment */

/* In the child: the agent as an init system would start it. */
static void agent_exec(struct node_agent *a, const struct node_agent_start *how)
{
	const struct spec_agent *s = a->spec;
	const char *dir = a->node->dir;
	char *log = lab_fmt("%s/agents/%s.log", dir, s->name);
	char *path = lab_fmt("%s/bin/%s", dir, s->comm);
	char *argv[] = {
		path,
		"--master=127.0.0.1:5050",
		lab_fmt("--ip=%s", node_agent_ip(a)),
		lab_fmt("--port=%s", s->port),
		lab_fmt("--hostname=%s", node_agent_ip(a)),
		lab_fmt("--work_dir=%s/work/%s", dir, s->name),
		lab_fmt("--runtime_dir=%s/run/%s", dir, s->name),
		lab_fmt("--launcher_dir=%s/bin", dir),
		lab_fmt("--recovery_timeout=%s", s->recovery_timeout),
		lab_fmt("--executor_reregistration_timeout=%s", s->reregistration_timeout),
		lab_fmt("--executor_reregistration_retry_interval=%s", s->retry_interval),
		lab_fmt("--lab_recovery_delay=%s", s->recovery_delay),
		lab_fmt("--lab_version=%s", s->version),
		lab_fmt("--lab_api=%s", s->api),
		lab_fmt("--lab_dir=%s", dir),
		lab_fmt("--lab_hold=%s", how->hold ? "yes" : "no"),
		lab_fmt("--recover=%s", how->recover),
		lab_fmt("--lab_removed_after=%s", s->removed_after),
		lab_fmt("--lab_away=%.3f", a->ended > 0 ? wall_time() - a->ended : 0),
		lab_fmt("--lab_orphans=%s", s->orphans),
		lab_fmt("--strict=%s", s->strict),
		lab_fmt("--lab_listen_ip=%s", s->listen_ip),
		lab_fmt("--advertise_ip=%s", s->advertise_ip),
		lab_fmt("--advertise_port=%s", s->advertise_port),
		lab_fmt("--lab_claims=%s", s->claims),
		lab_fmt("--lab_mptcp=%s", s->mptcp),
		lab_fmt("--lab_serial=%u", a->serial),
		lab_fmt("--http_executor_domain_sockets=%s",
			launch_is(s->domain_socket, "yes") ? "true" : "false"),
		lab_fmt("--lab_name=%s", s->name),
		lab_fmt("--lab_netns=%lu", a->node->ns),
		NULL,
	};
	char *envp[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			 "HOME=/root", "LANG=C.UTF-8", [ENV_OWN + ENV_MORE] = NULL };
	char *more = lab_strdup(s->env), *variable;
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	enter_own_view(a);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	procs_place_fd(a->node->notes_fd[1], FD_NOTIFY);
	become(launch_number(s->uid));
	for (int i = 0; i < ENV_MORE && (variable = strsep(&more, " ")); i++)
		if (*variable)
			envp[ENV_OWN + i] = variable;
	execve(path, argv, envp);
	_exit(127);
}

static void agent_exited(void *arg, uint32_t events)
{
	struct node_agent *a = arg;

	(void)events;
	waitpid(a->pid, NULL, WNOHANG);
	loop_unwatch(a->exit_watch);
	close(a->pidfd);
	a->ended = wall_time();
	a->pid = 0;
	a->pidfd = -1;
	a->exit_watch = NULL;
	a->listening = a->recovered = false;
	for (size_t i = 0; i < a->node->n_execs; i++)
		if (a->node->execs[i].agent == a)
			a->node->execs[i].told = false;
	node_ctl_check(a->node);
}

void node_agent_start(struct node_agent *a, const struct node_agent_start *how)
{
	if (a->pid)
		return;
	if (disguise_install(a->node->dir, a->spec->comm) < 0)
		lab_die("cannot install '%s'", a->spec->comm);
	open_dirs(a);
	a->serial++;
	a->pid = agent_fork(a);
	if (a->pid < 0)
		lab_die("fork: %s", strerror(errno));
	if (a->pid == 0)
		agent_exec(a, how);
	a->pidfd = procs_pidfd(a->pid);
	if (a->pidfd < 0)
		lab_die("pidfd_open: %s", strerror(-a->pidfd));
	a->exit_watch = loop_watch(a->node->loop, a->pidfd, EPOLLIN, agent_exited, a);
}

void node_agent_stop(struct node_agent *a, int sig)
{
	if (a->pid)
		kill(a->pid, sig);
}

static int agent_dial(struct node_agent *a)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/agents/%s.sock", a->node->dir,
		     a->spec->name) >= (int)sizeof(at.sun_path))
		err = -ENAMETOOLONG;
	else if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static bool read_line(int fd, struct buf *line)
{
	char c;

	while (read(fd, &c, 1) == 1) {
		if (c == '\n')
			return true;
		buf_add(line, &c, 1);
	}
	return false;
}

int node_agent_ask(struct node_agent *a, const char *line, char **why)
{
	int fd = agent_dial(a), err = fd < 0 ? fd : 0;
	struct buf answer = { 0 };
	char *text = lab_fmt("%s\n", line);

	if (!err && (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 || !read_line(fd, &answer)))
		err = -EPIPE;
	if (!err && (!answer.data || strcmp(answer.data, "ok")))
		err = -EINVAL;
	if (err)
		*why = lab_strdup(answer.data ? answer.data : strerror(-err));
	if (fd >= 0)
		close(fd);
	buf_free(&answer);
	free(text);
	return err;
}

void node_agent_launch(struct node_agent *a)
{
	struct node *n = a->node;

	for (size_t i = 0; i < n->n_execs; i++) {
		struct buf line = { 0 };
		char *command, *why = NULL;

		if (n->execs[i].agent != a)
			continue;
		launch_format(n->execs[i].l, &line);
		command = lab_fmt("launch %s", line.data);
		if (node_agent_ask(a, command, &why) < 0)
			lab_die("agent '%s' cannot launch '%s': %s", a->spec->name,
				n->execs[i].l->id, why);
		buf_free(&line);
		free(command);
	}
}

/* Which executor a note is about, or NULL. */
static struct node_exec *find_exec(struct node *n, const char *container_id)
{
	for (size_t i = 0; i < n->n_execs; i++)
		if (!strcmp(n->execs[i].l->container_id, container_id))
			return &n->execs[i];
	return NULL;
}

/* "container CID STATE PID" */
static void note_container(struct node *n, const char *words)
{
	char cid[64], state[32];
	struct node_exec *e;
	int pid;

	if (sscanf(words, "%63s %31s %d", cid, state, &pid) != 3)
		return;
	e = find_exec(n, cid);
	if (!e)
		return;
	e->launched = e->told = true;
	e->forked_pid = pid;
	for (int s = C_REGISTERING; s <= C_TERMINATED; s++)
		if (!strcmp(state, container_state_name(s)))
			e->state = s;
}

static void note_task(struct node *n, const char *container_id)
{
	struct node_exec *e = find_exec(n, container_id);

	if (e)
		e->task_runs = true;
}

/* "AGENT SERIAL WORDS"; lines of an earlier start of the agent are ignored. */
static void note_line(struct node *n, const char *line)
{
	char name[64], words[256];
	struct node_agent *a;
	unsigned int serial;

	if (sscanf(line, "%63s %u %255[^\n]", name, &serial, words) != 3)
		return;
	a = node_find_agent(n, name);
	if (!a)
		return;
	if (serial != a->serial || !a->pid)
		return;
	if (!strncmp(words, "container ", 10))
		note_container(n, words + 10);
	if (!strncmp(words, "task ", 5))
		note_task(n, words + 5);
	if (!strcmp(words, "listening"))
		a->listening = true;
	if (!strcmp(words, "recovered"))
		a->recovered = true;
	if (a->recovered && !a->launched) {
		a->launched = true;
		node_agent_launch(a);
	}
}

void node_agent_notes(void *arg, uint32_t events)
{
	struct node *n = arg;
	char chunk[16384], *nl;
	ssize_t got = read(n->notes_fd[0], chunk, sizeof(chunk));

	(void)events;
	if (got <= 0)
		return;
	buf_add(&n->notes, chunk, got);
	while (n->notes.len && (nl = memchr(n->notes.data, '\n', n->notes.len))) {
		char *line = strndup(n->notes.data, nl - n->notes.data);

		buf_drop(&n->notes, nl + 1 - n->notes.data);
		note_line(n, line);
		free(line);
	}
	node_ctl_check(n);
}

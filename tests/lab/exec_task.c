/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "addr.h"
#include "exec.h"
#include "procs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct task {
	struct executor *ex;
	struct watch *watch;
	void (*ended)(struct executor *ex, int status);
};

static void task_ready(void *arg, uint32_t events)
{
	struct task *t = arg;
	struct executor *ex = t->ex;
	int status;

	(void)events;
	if (waitpid(ex->task_pid, &status, WNOHANG) != ex->task_pid)
		return;
	loop_unwatch(t->watch);
	t->ended(ex, status);
	free(t);
}

/* In the child, between fork() and exec: the task leads a session of its own and dies with us. */
static void task_exec(const char *path, char *const argv[], int report, bool stubborn)
{
	pid_t pid = procs_host_pid();

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (stubborn)
		signal(SIGTERM, SIG_IGN);
	if (write(report, &pid, sizeof(pid)) == sizeof(pid))
		execv(path, argv);
	_exit(127);
}

/* `sleep`, or `curl` that talks to the agent: this program under such a name. */
void exec_task_start(struct executor *ex, void (*ended)(struct executor *ex, int status))
{
	bool curl = launch_is(ex->l->task, "curl");
	char *path = lab_fmt("%s/bin/%s", ex->l->dir, curl ? "curl" : "sleep");
	char *host = addr_host(ex->l->agent_ip);
	char *url = lab_fmt("http://%s:%s/health", host, ex->l->agent_port);
	char *argv[] = { curl ? "curl" : "sleep", curl ? url : "100000", NULL };
	struct task *t = lab_calloc(1, sizeof(*t));
	int report[2];

	if (pipe2(report, O_CLOEXEC) < 0)
		lab_die("pipe: %s", strerror(errno));
	ex->task_pid = fork();
	if (ex->task_pid == 0)
		task_exec(path, argv, report[1], launch_is(ex->l->task, "stubborn"));
	close(report[1]);
	if (ex->task_pid < 0 || read(report[0], &ex->task_host_pid, sizeof(pid_t)) <= 0)
		lab_die("cannot start the task: %s", strerror(errno));
	close(report[0]);
	ex->task_fd = procs_pidfd(ex->task_pid);
	*t = (struct task){ .ex = ex, .ended = ended };
	t->watch = loop_watch(ex->loop, ex->task_fd, EPOLLIN, task_ready, t);
	free(url);
	free(path);
}

void exec_task_signal(struct executor *ex, int sig)
{
	kill(ex->task_pid, SIGSTOP);
	kill(ex->task_pid, sig);
	kill(ex->task_pid, SIGCONT);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "containerizer.h"

#include "procs.h"
#include "disguise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Also reaps what a pid namespace leaves to its first process. */
static int wait_for(pid_t pid, int pidfd)
{
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = FD_LEASH, .events = POLLIN } };
	int status = 0;

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents && !fds[0].revents)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int containerizer_main(int argc, char **argv)
{
	struct launch *l = disguise_read_conf();
	pid_t pid;
	int pidfd;

	(void)argc;
	(void)argv;
	pid = fork();
	if (pid < 0)
		lab_die("fork: %s", strerror(errno));
	if (pid == 0) {
		disguise_exec(l);
		lab_die("exec: %s", strerror(errno));
	}
	pidfd = procs_pidfd(pid);
	if (pidfd < 0)
		lab_die("pidfd_open: %s", strerror(-pidfd));
	return wait_for(pid, pidfd);
}

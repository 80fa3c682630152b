/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node.h"

#include "disguise.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The environment of a process as execve() takes it; NULL: it cannot be read. */
static char **copy_environment(pid_t pid)
{
	char *path = lab_fmt("/proc/%d/environ", pid), chunk[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf all = { 0 }, vars = { 0 };
	ssize_t n;

	free(path);
	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&all, chunk, n);
	if (fd >= 0)
		close(fd);
	for (char *v = all.data; v && v < all.data + all.len; v += strlen(v) + 1)
		buf_add(&vars, &v, sizeof(v));
	if (vars.len)
		buf_add(&vars, &(char *){ NULL }, sizeof(char *));
	return (char **)vars.data; /* never freed: a test makes few of them */
}

static void impostor_exec(const char *path, char *const argv[], char *const env[], uid_t uid)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	setsid();
	if (setgroups(0, NULL) == 0 && setgid(uid) == 0 && setuid(uid) == 0)
		execve(path, argv, env);
	_exit(127);
}

int node_impostors(struct node *n, const struct impostors *wanted, struct buf *pids)
{
	char **env = copy_environment(wanted->of);
	char *path = lab_fmt("%s/bin/%s", n->dir, wanted->comm);
	char *kind = lab_fmt("--bystander=%s", wanted->kind);
	char *argv[] = { (char *)wanted->comm, kind, (char *)node_agent_ip(wanted->agent),
			 wanted->agent->spec->port, NULL };
	int err = env ? disguise_install(n->dir, wanted->comm) : -ESRCH;

	node_let_in(n);
	for (unsigned int i = 0; i < wanted->count && !err; i++) {
		pid_t pid = fork();

		if (pid == 0)
			impostor_exec(path, argv, env, wanted->uid);
		if (pid < 0)
			err = -errno;
		else
			buf_fmt(pids, "%s%d", pids->len ? "," : "", pid);
	}
	free(kind);
	free(path);
	return err;
}

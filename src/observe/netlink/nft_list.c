/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/nft_list.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <stdint.h>
#include <unistd.h>

#include "base/now.h"
#include "base/error.h"
#include "base/netns.h"

#define SAID_MAX 4096 /* of the messages of nft */

struct child {
	int timeout_ms;
	size_t max; /* bytes that it may print */
	pid_t pid;
	int out, err; /* what it prints; -1: closed */
	char *text;
	size_t len, cap;
	char said[SAID_MAX];
	size_t said_len;
};

/* PATH belongs to the caller of execwatch, so it is not used. */
static const char *nft_find(void)
{
	static const char *const paths[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft",
					     "/usr/bin/nft" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* In the child: async-signal-safe calls only. */
static void __attribute__((noreturn)) child_exec(const char *nft, int nsfd, int out, int err)
{
	static char *const env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char *argv[] = { "nft", "-j", "list", "ruleset", NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0)
		_exit(127);
	if (nsfd != NETNS_OWN && setns(nsfd, CLONE_NEWNET) < 0)
		_exit(126);
	execve(nft, argv, env);
	_exit(127);
}

static int child_start(struct child *child, int nsfd, const char *nft)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(err, O_CLOEXEC) < 0) {
		int failed = -errno;

		close(out[0]);
		close(out[1]);
		return failed;
	}
	child->pid = fork();
	if (child->pid == 0)
		child_exec(nft, nsfd, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	child->out = out[0];
	child->err = err[0];
	return child->pid < 0 ? -errno : 0;
}

static int text_grow(struct child *child)
{
	size_t cap = child->cap ? child->cap * 2 : 64 * 1024;
	char *text;

	if (child->len > child->max)
		return -EFBIG;
	if (child->len + 1 < child->cap)
		return 0;
	text = realloc(child->text, cap);
	if (!text)
		return -ENOMEM;
	child->text = text;
	child->cap = cap;
	return 0;
}

static void end_of(int *fd)
{
	close(*fd);
	*fd = -1;
}

static int out_read(struct child *child)
{
	int err = text_grow(child);
	ssize_t n;

	if (err < 0)
		return err;
	n = read(child->out, child->text + child->len, child->cap - child->len - 1);
	if (n > 0)
		child->len += (size_t)n;
	else if (n == 0 || errno != EINTR)
		end_of(&child->out);
	return 0;
}

static void err_read(struct child *child)
{
	char part[SAID_MAX];
	ssize_t n = read(child->err, part, sizeof(part));
	size_t fits = sizeof(child->said) - 1 - child->said_len;

	if (n > 0) {
		fits = (size_t)n < fits ? (size_t)n : fits;
		memcpy(child->said + child->said_len, part, fits);
		child->said_len += fits;
	} else if (n == 0 || errno != EINTR) {
		end_of(&child->err);
	}
}

static int child_read(struct child *child)
{
	int64_t end = now_mono() + (int64_t)child->timeout_ms * NS_PER_MS;
	int err = 0;

	while (!err && (child->out >= 0 || child->err >= 0)) {
		struct pollfd fds[2] = { { .fd = child->out, .events = POLLIN },
					 { .fd = child->err, .events = POLLIN } };
		int64_t left = (end - now_mono()) / NS_PER_MS;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			err = out_read(child);
		if (fds[1].revents)
			err_read(child);
	}
	return err;
}

/* Its whole session is killed unless it has ended by itself. Returns the wait status. */
static int child_end(struct child *child, bool kill_it)
{
	int status = -1;

	if (kill_it) {
		kill(child->pid, SIGKILL); /* it may not have made its session yet */
		kill(-child->pid, SIGKILL);
	}
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (child->out >= 0)
		end_of(&child->out);
	if (child->err >= 0)
		end_of(&child->err);
	return status;
}

/* Its first line. */
static const char *child_said(struct child *child)
{
	child->said[strcspn(child->said, "\n")] = '\0';
	return child->said[0] ? child->said : "no message";
}

static int child_judge(struct child *child, int err, int status, struct error *error)
{
	if (err == -ETIMEDOUT)
		return error_set(error, err, "list the rules by hand: nft -j list ruleset",
				 "read the nftables rules: nft took longer than %d ms",
				 child->timeout_ms);
	if (err == -EFBIG)
		return error_set(error, err, NULL, "read the nftables rules: more than %zu bytes",
				 child->max);
	if (err < 0)
		return error_set(error, err, NULL, "read the nftables rules");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 126)
		return error_set(error, -EPERM, "run as root",
				 "read the nftables rules: enter the network namespace");
	if (strstr(child->said, "not permitted"))
		return error_set(error, -EPERM, "run as root", "read the nftables rules: nft: %s",
				 child_said(child));
	return error_set(error, -EIO, "list the rules by hand: nft -j list ruleset",
			 "read the nftables rules: nft failed: %s", child_said(child));
}

/*
 * nft leaves out an expression that it does not know, says so, and succeeds
 * (netlink_parse_expr(), nftables 1.0.6, src/netlink_delinearize.c).
 */
static bool child_told_all(const struct child *child)
{
	return child->said_len == 0;
}

int nft_list(int nsfd, int timeout_ms, size_t max, struct nft_listing *ret, struct error *error)
{
	struct child child = { .timeout_ms = timeout_ms, .max = max, .out = -1, .err = -1 };
	const char *nft = nft_find();
	int err, status;

	if (!nft)
		return error_set(error, -ENOENT, "install the package nftables",
				 "read the nftables rules: there is no program nft");
	err = child_start(&child, nsfd, nft);
	if (child.pid <= 0)
		return error_set(error, err, NULL, "start nft");
	err = child_read(&child);
	status = child_end(&child, err < 0);
	err = child_judge(&child, err, status, error);
	if (err < 0 || !child.text) {
		free(child.text);
		return err < 0 ? err
			       : error_set(error, -EIO, NULL,
					   "read the nftables rules: nft printed nothing");
	}
	child.text[child.len] = '\0';
	*ret = (struct nft_listing){ .text = child.text,
				     .len = child.len,
				     .complete = child_told_all(&child) };
	return 0;
}

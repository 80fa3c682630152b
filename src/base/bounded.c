/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/now.h"

enum { PIPE_SIZE = 1 << 20 }; /* the most that Linux gives to all by default */
enum { REAP_TRIES = 20 };     /* of 5 ms, after SIGKILL */

int bounded_ms(int most_ms, int64_t until)
{
	int64_t left = (until - now_mono() + NS_PER_MS - 1) / NS_PER_MS;

	if (!until || left >= most_ms)
		return most_ms;
	return left > 0 ? (int)left : 0;
}

/*
 * Its own session: what the terminal sends is for the caller. No handler of the caller's runs. It
 * may outlive the caller: whoever reads the caller's output to its end must not wait for that.
 */
static void __attribute__((noreturn)) child_run(bounded_work work, void *ctx, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	_exit(work(ctx, out));
}

int bounded_begin(struct bounded *child, bounded_work work, void *ctx)
{
	int fds[2], err;

	child->pid = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE); /* the child need not wait for its reader */
	child->pid = fork();
	err = child->pid < 0 ? -errno : 0;
	if (child->pid == 0) {
		close(fds[0]);
		child_run(work, ctx, fds[1]);
	}
	close(fds[1]);
	child->in = fds[0];
	if (err) {
		close(fds[0]);
		child->pid = 0;
	}
	return err;
}

int bounded_exec(char *const *argv, int out)
{
	static const char *const dirs[] = { "/usr/bin", "/bin" };
	static char *const env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char path[256];

	if (dup2(out, STDOUT_FILENO) < 0)
		return 127;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], argv[0]);
		execve(path, argv, env);
	}
	return 127;
}

static int consume(int in, int idle_ms, int64_t until, bounded_got got, void *ctx)
{
	struct pollfd pollfd = { .fd = in, .events = POLLIN };
	char part[16 * 1024];

	for (;;) {
		ssize_t n;
		int err = poll(&pollfd, 1, bounded_ms(idle_ms, until));

		if (err < 0 && errno == EINTR)
			continue;
		if (err <= 0)
			return err ? -errno : -ETIMEDOUT;
		n = read(in, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		err = got(ctx, part, (size_t)n);
		if (err < 0)
			return err;
	}
}

void bounded_abandon(int pid)
{
	static const struct timespec pause = { .tv_nsec = 5000000 };

	kill(pid, SIGKILL);
	for (int i = 0; i < REAP_TRIES && waitpid(pid, NULL, WNOHANG) == 0; i++)
		nanosleep(&pause, NULL);
}

static int child_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

void bounded_drop(struct bounded *child)
{
	if (!child->pid)
		return;
	close(child->in);
	bounded_abandon(child->pid);
	child->pid = 0;
}

int bounded_byte(struct bounded *child, int wait_ms)
{
	struct pollfd pollfd = { .fd = child->in, .events = POLLIN };
	int64_t until = now_mono() + wait_ms * NS_PER_MS;
	unsigned char byte;
	ssize_t n;
	int err;

	do
		err = poll(&pollfd, 1, bounded_ms(wait_ms, until));
	while (err < 0 && errno == EINTR);
	if (err <= 0)
		return err ? -errno : -ETIMEDOUT;
	n = read(child->in, &byte, 1);
	if (n < 0)
		return -errno;
	return n ? byte : -EPIPE;
}

int bounded_end(struct bounded *child, int idle_ms, int64_t until, bounded_got got, void *ctx)
{
	int err = consume(child->in, idle_ms, until, got, ctx);

	if (err) {
		bounded_drop(child);
		return err;
	}
	close(child->in);
	err = child_end(child->pid);
	child->pid = 0;
	return err;
}

int bounded_run(int idle_ms, int64_t until, bounded_work work, void *work_ctx, bounded_got got,
		void *got_ctx)
{
	struct bounded child;
	int err = bounded_begin(&child, work, work_ctx);

	return err ? err : bounded_end(&child, idle_ms, until, got, got_ctx);
}

struct text {
	char *buf;
	size_t size, len;
};

static int text_got(void *ctx, const char *part, size_t len)
{
	struct text *text = ctx;
	size_t space = text->size - 1 - text->len;

	memcpy(text->buf + text->len, part, len < space ? len : space);
	text->len += len < space ? len : space;
	return 0;
}

int bounded_text(int idle_ms, int64_t until, bounded_work work, void *work_ctx, char *buf,
		 size_t size)
{
	struct text text = { .buf = buf, .size = size };
	int err = bounded_run(idle_ms, until, work, work_ctx, text_got, &text);

	buf[text.len] = '\0';
	return err < 0 ? err : (int)text.len;
}

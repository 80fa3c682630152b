/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/interrupt.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"

static volatile sig_atomic_t count, from_terminal;
static int fd = -1, hangup_fd = -1;

static void wake(int eventfd)
{
	int saved = errno;
	uint64_t one = 1;

	if (write(eventfd, &one, sizeof(one)) < 0)
		count += 0; /* the counter is full: it is readable in any case */
	errno = saved;
}

static void on_interrupt(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	from_terminal = info->si_code == SI_KERNEL;
	wake(fd);
}

static void on_hangup(int sig)
{
	(void)sig;
	wake(hangup_fd);
}

static int handle(int sig, const struct sigaction *action)
{
	return sigaction(sig, action, NULL) < 0 ? -errno : 0;
}

/* nohup(1) and its like start a program with SIGHUP ignored: it stays so. */
static int hangup_handle(const struct sigaction *interrupt, bool survive)
{
	struct sigaction survives, inherited;

	memset(&survives, 0, sizeof(survives));
	survives.sa_handler = on_hangup;
	survives.sa_flags = SA_RESTART;
	if (sigaction(SIGHUP, NULL, &inherited) == 0 && inherited.sa_handler == SIG_IGN)
		return 0;
	return handle(SIGHUP, survive ? &survives : interrupt);
}

static int install(bool survive_hangup)
{
	struct sigaction action;
	int err;

	if (fd >= 0)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	hangup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0 || hangup_fd < 0)
		return -errno;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_interrupt;
	action.sa_flags = SA_RESTART | SA_SIGINFO;
	err = handle(SIGINT, &action);
	if (!err)
		err = handle(SIGTERM, &action);
	return err ? err : hangup_handle(&action, survive_hangup);
}

int interrupt_install(bool survive_hangup, struct error *error)
{
	int err = install(survive_hangup);

	return err ? error_set(error, err, "raise the limit of open files (ulimit -n)",
			       "take over Ctrl-C")
		   : 0;
}

const volatile sig_atomic_t *interrupt_count(void)
{
	return &count;
}

bool interrupt_from_terminal(void)
{
	return from_terminal;
}

int interrupt_fd(void)
{
	return fd;
}

int interrupt_hangup_fd(void)
{
	return hangup_fd;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/interrupt.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t count;
static int fd = -1;

static void on_signal(int sig)
{
	int saved = errno;
	uint64_t one = 1;

	(void)sig;
	count++;
	if (write(fd, &one, sizeof(one)) < 0)
		count += 0; /* the counter is full: it is readable in any case */
	errno = saved;
}

int interrupt_install(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;

	if (fd >= 0)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL) < 0)
			return -errno;
	return 0;
}

const volatile sig_atomic_t *interrupt_count(void)
{
	return &count;
}

int interrupt_fd(void)
{
	return fd;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/confirm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

bool confirm_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* True: a line, or the end of the input, can be read. */
static bool answer_wait(int interrupt)
{
	struct pollfd fds[] = { { .fd = interrupt, .events = POLLIN },
				{ .fd = STDIN_FILENO, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return !fds[0].revents;
}

enum answer confirm(const char *question, int interrupt)
{
	char answer[16];

	tcflush(STDIN_FILENO, TCIFLUSH);
	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	if (!answer_wait(interrupt)) {
		fputc('\n', stderr);
		return ANSWER_INTERRUPTED;
	}
	if (!fgets(answer, sizeof(answer), stdin))
		return ANSWER_NO;
	answer[strcspn(answer, "\n")] = '\0';
	if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
		return ANSWER_YES;
	return ANSWER_NO;
}

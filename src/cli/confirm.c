/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/confirm.h"

#include <stdio.h>
#include <strings.h>
#include <string.h>
#include <unistd.h>

bool confirm_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool confirm(const char *question)
{
	char answer[16];

	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

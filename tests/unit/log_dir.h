/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A directory for an audit log, made for each test of a file. */
#ifndef EW_TEST_LOG_DIR_H
#define EW_TEST_LOG_DIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64], path[128]; /* path: of the log */

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ew-log-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

#endif

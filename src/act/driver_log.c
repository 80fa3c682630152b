/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/driver_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"

#define READ_MAX (1 << 16)

void driver_log_begin(struct driver_log *log, pid_t pid)
{
	char path[PROC_PATH_MAX];
	struct stat st;

	log->fd = -1;
	proc_path(path, pid, 0, "fd/2");
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	log->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (log->fd < 0)
		return;
	log->from = st.st_size;
	if (fstat(log->fd, &st) < 0 || !S_ISREG(st.st_mode))
		driver_log_end(log);
}

/* "Executor re-registered on agent S0", "… on slave S0", "Executor reregistered on agent S0" */
bool driver_log_reregistered(const struct driver_log *log)
{
	char text[READ_MAX + 1];
	ssize_t len = log->fd < 0 ? -1 : pread(log->fd, text, READ_MAX, log->from);

	if (len <= 0)
		return false;
	text[len] = '\0';
	for (char *at = text; at < text + len; at += strlen(at) + 1)
		if (strstr(at, "Executor re-registered on ") ||
		    strstr(at, "Executor reregistered on "))
			return true;
	return false;
}

void driver_log_end(struct driver_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the agent's work directory is, and whose it is. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/proc.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent_scan.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"

enum { ANSWER_MS = 3000 }; /* that a file system has */

const char *scan_known_work_dir(const struct scan *scan)
{
	return scan->work_dir ? scan->work_dir : scan->found_work_dir;
}

/* In a child: "YES OWNER PATH"; YES is 0 where the owner cannot be told. */
static int work_dir_find(void *ctx, int out)
{
	const struct scan *scan = ctx;
	char found[PATH_MAX];
	uint32_t uid = 0;
	bool known;

	if (scan->work_dir || !agent_work_dir(scan->snapshot, found, sizeof(found)))
		snprintf(found, sizeof(found), "%s", scan_known_work_dir(scan));
	known = *found && agent_work_dir_owner(found, &uid);
	return dprintf(out, "%d %u %s", known, uid, found) < 0;
}

void scan_find_work_dir(struct scan *scan)
{
	char answer[PATH_MAX + 32];
	int known, path = 0;
	uint32_t uid;

	scan->looked = bounded_text(ANSWER_MS, scan->options.until, work_dir_find, scan, answer,
				    sizeof(answer));
	if (scan->looked <= 0 || sscanf(answer, "%d %u %n", &known, &uid, &path) != 2 ||
	    !answer[path])
		return;
	if (!scan->work_dir)
		snprintf(scan->found_work_dir, sizeof(scan->found_work_dir), "%.*s", PATH_MAX - 1,
			 answer + path);
	snapshot_set_owner(scan->snapshot, known ? &uid : NULL);
}

void scan_likely_work_dir(struct scan *scan, char *path, size_t size)
{
	const struct fact_socket *socket;
	const struct fact_holder *holder;
	char name[PROC_PATH_MAX];
	struct stat st;
	size_t n;

	snprintf(path, size, "%s", scan_known_work_dir(scan));
	for (size_t i = 0; !*path && (socket = snapshot_socket(scan->snapshot, i)); i++) {
		if (socket->state != TCP_LISTEN ||
		    socket->local.port != snapshot_port(scan->snapshot) ||
		    socket->netns != snapshot_netns(scan->snapshot))
			continue;
		holder = snapshot_holders(scan->snapshot, socket->cookie, &n);
		if (n && stat(proc_path(name, holder->pid, 0, ""), &st) == 0 && st.st_uid == 0 &&
		    !agent_flag(holder->pid, "work_dir", path, size))
			*path = '\0';
	}
}

/* In a child: the path. */
static int work_dir_guess(void *ctx, int out)
{
	const struct scan *scan = ctx;
	char found[PATH_MAX];

	return agent_work_dir_guess(scan->snapshot, found, sizeof(found), NULL) < 0 ||
	       dprintf(out, "%s", found) < 0;
}

const char *scan_await_work_dir(struct scan *scan, struct error *error)
{
	if (scan->looked == -ETIMEDOUT) {
		error_set(error, scan->looked, "see whether its file system answers",
			  "look at the agent's work directory");
		return "";
	}
	if (*scan_known_work_dir(scan))
		return scan_known_work_dir(scan);
	scan_await_answer(scan);
	if (bounded_text(ANSWER_MS, scan->options.until, work_dir_guess, scan, scan->found_work_dir,
			 sizeof(scan->found_work_dir)) <= 0)
		error_set(error, -ENOENT, "name it with --work-dir",
			  "find the agent's work directory");
	return scan_known_work_dir(scan);
}

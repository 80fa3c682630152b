/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/agent_away.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/now.h"
#include "base/safe_dir.h"
#include "cli/options.h"
#include "cli/session.h"
#include "facts.h"
#include "model/report.h"

enum { LINE_MAX_BYTES = 256, NAME_MAX_BYTES = 32 };

/* The agent that the time is of, as the line in the file begins. */
static void key_of(const struct session *session, const struct report *report, char *key)
{
	snprintf(key, LINE_MAX_BYTES / 2, "%s %d %" PRIu64 " ", session_boot_id(session),
		 report->baseline.agent_pid, report->baseline.agent_start);
}

/* Wall clock; 0: nothing is remembered of this agent. */
static int64_t recall(int dir, const char *name, const char *key)
{
	int fd = safe_file_open(dir, name, O_RDONLY, 0);
	char line[LINE_MAX_BYTES];
	int64_t wall = 0;
	ssize_t len;

	if (fd < 0)
		return 0;
	len = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[len > 0 ? len : 0] = '\0';
	if (strncmp(line, key, strlen(key)) != 0 ||
	    sscanf(line + strlen(key), "%" SCNd64, &wall) != 1)
		return 0;
	return wall > 0 && wall <= now_wall() ? wall : 0;
}

static void remember(int dir, const char *name, const char *key, int64_t wall)
{
	char line[LINE_MAX_BYTES];
	int len = snprintf(line, sizeof(line), "%s%" PRId64 "\n", key, wall);

	safe_file_replace(dir, name, line, (size_t)len);
}

void agent_away_emit(const struct options *options, struct session *session,
		     const struct report *report)
{
	bool down = !report->agent.pid && strcmp(report->agent.api, "down") == 0;
	struct fact fact = { .type = FACT_AGENT_AWAY, .mono = now_mono() };
	struct fact_sink sink = session_sink(session);
	char key[LINE_MAX_BYTES / 2], name[NAME_MAX_BYTES];
	int dir;

	if (!report->baseline.agent_pid)
		return;
	key_of(session, report, key);
	snprintf(name, sizeof(name), "agent-away-%u", options->port);
	dir = safe_dir_open(options->state_dir, down ? 0700 : 0, "--state-dir", NULL);
	if (dir >= 0)
		fact.agent_away.wall = recall(dir, name, key);
	if (!fact.agent_away.wall && down) {
		fact.agent_away.wall = now_wall();
		if (dir >= 0)
			remember(dir, name, key, fact.agent_away.wall);
	}
	if (dir >= 0)
		close(dir);
	if (fact.agent_away.wall)
		fact_emit(&sink, &fact);
}

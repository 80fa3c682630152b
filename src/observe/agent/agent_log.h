/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of an agent's log, wherever it writes it: the file on its standard error, the files in
 * its
 * --log_dir, the journal. Where it is has to be remembered while an agent runs; it is read after
 * its end too.
 */
#ifndef EW_OBSERVE_AGENT_AGENT_LOG_H
#define EW_OBSERVE_AGENT_AGENT_LOG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"

struct fact_sink;

struct agent_log_place {
	int32_t pid;		/* whose it is */
	char file[PATH_MAX];	/* on its standard error; "": none that has a name */
	char dir[PATH_MAX];	/* --log_dir; "": not given */
	char unit[256];		/* of systemd; "": none */
	char runtime[PATH_MAX]; /* --runtime_dir, which has the status of containers; "": unknown */
};

/* From a running agent's /proc; opens none of its files. */
void agent_log_remember(int32_t pid, struct agent_log_place *place);

/*
 * The last max bytes of the log: of a file with its rotated predecessor (".1") where it is short;
 * else of DIR/mesos-agent.INFO or mesos-slave.INFO; else of the journal (journalctl -o json).
 * *source: "stderr", "log_dir", "journal". To be freed with file_tail_free(); {NULL, 0}: nothing
 * was found. What could not be read is emitted. May hang with a file system: call it in a child
 * (bounded_emit.h).
 */
struct mesos_span agent_log_read(const struct agent_log_place *place, size_t max,
				 const char **source, const struct fact_sink *sink);

/* Emits FACT_AGENT_LOG with the line that says why the agent ended, for the agent of that pid. */
void agent_log_emit(const struct agent_log_place *place, int32_t pid, uint64_t start,
		    const struct fact_sink *sink);

/* The line that says why an agent ended: its text begins in log. {NULL, 0}: there is no line. */
struct mesos_span agent_log_last_word(struct mesos_span log);

/*
 * The messages of journalctl -o json, one a line, into text (as many bytes suffice). Returns how
 * many bytes that are. Messages that are no text (arrays of bytes) are left out.
 */
size_t agent_log_of_journal(struct mesos_span json, char *text);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The scan of the checkpoint tree: what its parts share. checkpoints.c reads the tree and its
 * frameworks, checkpoint_runs.c executors and their runs, checkpoint_tasks.c tasks.
 */
#ifndef EW_OBSERVE_AGENT_CHECKPOINTS_PRIVATE_H
#define EW_OBSERVE_AGENT_CHECKPOINTS_PRIVATE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "mesos/checkpoint.h"
#include "observe/agent/checkpoint_file.h"

struct error;
struct fact_sink;
struct mesos_span;

#define CHECKPOINT_DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/*
 * What an agent that starts needs to take an executor back. Mesos slave/state.cpp: without
 * slave.info the agent takes a new id (SlaveState::recover()); without framework.info,
 * framework.pid or executor.info it passes over the executors below, and without task.info over the
 * task. Damage ends the recovery, with --strict=false it counts as missing.
 */
struct checkpoint_need {
	enum ew_tri met;
	char obstacle[128];
};

struct checkpoint_scan {
	const struct fact_sink *sink;
	const char *slave_id;
	const char *framework_id;
	const char *executor_id;
	const char *container_id; /* of the run */
	char *file;		  /* CHECKPOINT_FILE_MAX bytes to read files into */
	const char *boot;	  /* the tree's, when it is not this host's; NULL */
	bool former;		  /* in the tree of an agent id that slaves/latest does not name */
	bool passed_over;	  /* the agent does not look in here */
	bool *incomplete;	  /* set when something that is there was refused */
	struct checkpoint_need need; /* of all that has been entered */
	struct checkpoint_path path;
};

/* FACT_UNREAD for name in the present directory ("": the directory itself); err: negative errno. */
void checkpoint_refused(struct checkpoint_scan *scan, int err, const char *name);

/* ---- directories (checkpoint_dirs.c) ---- */

/* The real directories in one, in turn; links and files are passed over. */
struct checkpoint_dirs {
	struct checkpoint_scan *scan;
	DIR *list;	    /* NULL: none is left */
	const char *except; /* set after the beginning: a name to pass over; NULL: none */
	bool named;	    /* the path has a part for the directory that is listed */
	int fd; /* of the present one, whose name the path ends with; closed by the next */
	const char *name; /* its name; gone with it */
};

/* Those in dir, which is closed in the end. */
void checkpoint_dirs_begin(struct checkpoint_dirs *dirs, struct checkpoint_scan *scan, int dir);

/* Those in dir/name, which need not be there. */
void checkpoint_dirs_begin_in(struct checkpoint_dirs *dirs, struct checkpoint_scan *scan, int dir,
			      const char *name);

/* False: there was no other, and all is closed. To be called until then. */
bool checkpoint_dirs_next(struct checkpoint_dirs *dirs);

/* The last part of the text of the link dir/"latest". -ENOENT when there is none. */
int checkpoint_latest(int dir, char *name, size_t size);

/* Not access(2): that asks for the real user, without its capabilities. */
bool checkpoint_is_there(struct checkpoint_scan *scan, int dir, const char *name);

/* ---- files, and what they mean for the next agent (checkpoint_need.c) ---- */

/*
 * One file. An empty one counts as none, as for Mesos; FACT_UNREAD for one that is refused or too
 * large. 0 or a negative errno.
 */
int checkpoint_read(struct checkpoint_scan *scan, int dir, const char *name,
		    struct mesos_span *file);

/* FACT_UNREAD with damage as its reason. err: -ENODATA for an empty file; else what tells it. */
void checkpoint_damaged(struct checkpoint_scan *scan, int32_t pid, const char *name, int err,
			const struct error *what);

/*
 * FACT_DAMAGE: the agent's recovery ends at this file (name "": at the present directory). fatal:
 * with --strict=false too. Nothing where the agent does not look.
 */
void checkpoint_fatal(const struct checkpoint_scan *scan, const char *name, const char *text,
		      enum ew_tri fatal);

/* What was missing first, or is known to be missing, stays. */
void checkpoint_lacks(struct checkpoint_need *need, enum ew_tri met, const char *name,
		      const char *how);

/*
 * err: of reading or parsing the file; -ENOENT, -ENODATA (empty), -EBADMSG (damaged), or another.
 */
void checkpoint_judge(struct checkpoint_need *need, int err, const char *name);

/* A file that holds one protobuf message: read, reported when damaged, and needed. */
int checkpoint_info_file(struct checkpoint_scan *scan, int dir, enum mesos_info which,
			 struct mesos_span *file);
void checkpoint_info_damaged(struct checkpoint_scan *scan, enum mesos_info which, int err,
			     const struct error *what);
void checkpoint_need_info(struct checkpoint_scan *scan, int dir, enum mesos_info which);

/* ---- below a framework (checkpoint_runs.c, checkpoint_tasks.c) ---- */

/* The facts of one executor, whose directory dir is. */
void checkpoint_executor(struct checkpoint_scan *scan, int dir, const char *id);

/* Names of the tasks of a run that are not over. */
struct checkpoint_tasks {
	char **names;
	size_t n;
	size_t cap;
};

/* Also FACT_TASK of each that is over. To be freed. */
void checkpoint_tasks_read(struct checkpoint_scan *scan, int run, struct checkpoint_tasks *tasks);
void checkpoint_tasks_free(struct checkpoint_tasks *tasks);

/* Damage alone: the agent reads the tasks of an earlier run too. */
void checkpoint_tasks_check(struct checkpoint_scan *scan, int run);

#endif

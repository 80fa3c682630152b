/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an agent writes under WORK_DIR/meta (Mesos slave/paths.hpp, slave/state.cpp; the same from
 * 0.28 to 1.11). Only frameworks with checkpointing on are there. Files are written to a temporary
 * of 6 random characters beside the target and renamed, except task.updates, which is appended to.
 */
#ifndef EW_MESOS_CHECKPOINT_H
#define EW_MESOS_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"
#include "mesos/upid.h"

struct error;

/*
 * Contents. All return 0; -ENODATA for an empty file (a host that crashed leaves one; Mesos then
 * goes on as if there were none); -EBADMSG, with *error saying what is damaged, for any other
 * content that Mesos could not read; outputs are set on success only. The caller knows the path:
 * why does not name it.
 */

/* forked.pid */
int mesos_checkpoint_pid(struct mesos_span file, int32_t *pid, struct error *error);

/* libprocess.pid, framework.pid */
int mesos_checkpoint_upid(struct mesos_span file, struct mesos_upid *upid, struct error *error);

/* boot_id */
int mesos_checkpoint_boot_id(struct mesos_span file, struct mesos_span *id, struct error *error);

/*
 * The messages that an agent's recovery needs: one record each (u32 length in the byte order of the
 * host, then the protobuf; what follows is ignored, as by Mesos).
 */
enum mesos_info { MESOS_SLAVE_INFO, MESOS_FRAMEWORK_INFO, MESOS_EXECUTOR_INFO, MESOS_TASK_INFO };

/* Its file: "slave.info", … */
const char *mesos_info_name(enum mesos_info which);

/*
 * Can an agent read it? A required field that is missing is damage to it (protobuf,
 * Message::ParseFrom...()).
 */
int mesos_checkpoint_info(struct mesos_span file, enum mesos_info which, struct error *error);

/*
 * resources.info, resources.target: records of Resource. 0, or -EBADMSG for damage; a last record
 * that is not complete is none (Mesos cuts it off).
 */
int mesos_checkpoint_resources(struct mesos_span file, struct error *error);

struct mesos_task_info {
	struct mesos_span task_id;
	struct mesos_span name;
	struct mesos_span framework_id;
	struct mesos_span executor_id; /* nothing: a command task, whose executor has its id */
	struct mesos_span slave_id;
	uint32_t state; /* TaskState when it was launched, not now */
};

/* slave.info: the port that the agent advertises; it is framed like task.info. */
int mesos_checkpoint_slave_port(struct mesos_span file, uint16_t *port, struct error *error);

/* u32 length (byte order of the host), then one protobuf; what follows is ignored, as by Mesos. */
int mesos_checkpoint_task_info(struct mesos_span file, struct mesos_task_info *info,
			       struct error *error);

/* Who states it: TaskStatus.Source of mesos.proto, by number. */
enum mesos_source { MESOS_BY_UNKNOWN = -1, MESOS_BY_MASTER, MESOS_BY_AGENT, MESOS_BY_EXECUTOR };

struct mesos_update {
	bool ack;	   /* else an update, which alone has what follows */
	const char *state; /* mesos_task_state(); NULL: not one that is known */
	enum mesos_source source;
	const char *reason; /* mesos_task_reason() */
	double timestamp;   /* seconds since 1970; 0: none */
	struct mesos_span task_id;
	struct mesos_span uuid; /* of both; 16 bytes; an update's may be missing */
};

/*
 * Takes the next record off the front of *file (task.updates). Returns 1, 0 at its end; -ENODATA
 * for a last record that is not complete (a crash while writing: Mesos cuts it off), with *file at
 * its first byte; -EBADMSG for damage.
 */
int mesos_checkpoint_update(struct mesos_span *file, struct mesos_update *update,
			    struct error *error);

#endif

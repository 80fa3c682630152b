/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_CHECKPOINT_H
#define LAB_CHECKPOINT_H

#include "buf.h"
#include "msg.h"

#include <stdbool.h>

/*
 * The files below <work_dir>/meta, laid out as slave/paths.hpp has them (0.28.3 and
 * 1.11.0), and the sandboxes. Errors end the agent, as they do in Mesos.
 */
struct checkpoint_ids {
	const char *work_dir;
	const char *slave_id;
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
};

char *checkpoint_sandbox(const struct checkpoint_ids *ids);  /* its path, malloc'd */
char *checkpoint_run_path(const struct checkpoint_ids *ids); /* below meta, malloc'd */

void checkpoint_agent(const char *work_dir, const struct msg_ids *ids); /* boot_id, slave.info */
/* Attributes of slave.info as a flag has them, malloc'd; "" for none, or without the file. */
char *checkpoint_attributes(const char *work_dir, const char *slave_id);
void checkpoint_executor(const struct checkpoint_ids *at, const struct msg_ids *ids);
void checkpoint_make_sandbox(const struct checkpoint_ids *at);
void checkpoint_task(const struct checkpoint_ids *at, const struct msg_ids *ids);

/* A file of the run: "pids/forked.pid", "http.marker". Written whole or not at all. */
void checkpoint_run_file(const struct checkpoint_ids *at, const char *name, const char *text);
char *checkpoint_read_run_file(const struct checkpoint_ids *at, const char *name); /* or NULL */

/*
 * A file of one message, with the fields that the message must have (numbers, ended by 0): can it
 * be read? CHECKPOINT_NONE: there is none, or it is empty.
 */
void checkpoint_read(const char *path, struct buf *data); /* nothing where there is no file */
enum checkpoint_state { CHECKPOINT_READ, CHECKPOINT_NONE, CHECKPOINT_DAMAGED };
enum checkpoint_state checkpoint_message(const char *path, const unsigned int *required);
/* The same of a file of many records; a last one that is cut off is none. */
enum checkpoint_state checkpoint_records(const char *path);

/* Appends one record to the task's task.updates. */
void checkpoint_update_record(const struct checkpoint_ids *at, const struct buf *record);

/* The latest state of the task, from its task.updates; TASK_STAGING if there is none. */
struct msg_status checkpoint_read_status(const struct checkpoint_ids *at);

/* meta/boot_id: of this boot? (Also if there is none.) */
bool checkpoint_same_boot(const char *work_dir);
void checkpoint_boot_id(const char *work_dir); /* writes it */

/* Where a symbolic link points, its last path component; NULL: no such link, or it dangles. */
char *checkpoint_link_name(const char *path);

void checkpoint_mkdirs(const char *path);

#endif

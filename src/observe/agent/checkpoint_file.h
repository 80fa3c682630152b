/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading single checkpoint files, and the path that messages name. */
#ifndef EW_OBSERVE_AGENT_CHECKPOINT_FILE_H
#define EW_OBSERVE_AGENT_CHECKPOINT_FILE_H

#include <limits.h>
#include <stddef.h>

struct mesos_span;

/* Bytes of one file that are read. Only task.updates grows: with the updates of its task. */
#define CHECKPOINT_FILE_MAX (4 * 1024 * 1024)

/*
 * Reads a regular file below dir into buf (CHECKPOINT_FILE_MAX bytes). name may hold one '/'.
 * Links, pipes and devices: -EINVAL. Returns 0 with *ret_file inside buf, 1 when that is the file's
 * beginning alone, or a negative errno.
 */
int checkpoint_file_read(int dir, const char *name, char *buf, struct mesos_span *ret_file);

/* A path that is lengthened and shortened by its last part; one that is too long is cut. */
struct checkpoint_path {
	char text[PATH_MAX];
	size_t parts[32]; /* where each part begins */
	size_t depth;
};
void checkpoint_path_push(struct checkpoint_path *path, const char *part);
void checkpoint_path_pop(struct checkpoint_path *path);

#endif

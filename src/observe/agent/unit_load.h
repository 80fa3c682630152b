/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A unit of systemd as it stands on disk: its file and its drop-ins (systemd.unit(5), 252). */
#ifndef EW_OBSERVE_AGENT_UNIT_LOAD_H
#define EW_OBSERVE_AGENT_UNIT_LOAD_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct unit_settings;

struct loaded_unit {
	const char *name; /* "mesos-slave.service"; of a link (Alias=) what it leads to */
	struct unit_settings *settings;
	const char **paths; /* what was read: the file first, then drop-ins in their order */
	size_t n;
	int64_t changed; /* newest change of content, name or owner of one of them, CLOCK_REALTIME
			  */
	const char *changed_path;
};

/*
 * Reads unit name, or, when file is not NULL, that file with the drop-ins of the unit of its name.
 * root is in front of every path but file ("": this host). A name that is a link to another unit's
 * file stands for that unit, whose drop-ins under each of its names apply. Of several files of that
 * name the one in the directory of highest precedence counts, and it alone; of several drop-ins of
 * one name too; all drop-ins apply in the order of their names, in whatever directory they are.
 *
 * Returns 0; -ENOENT: there is no such file; -ENOLINK: the unit is masked; -EFBIG: a file larger
 * than 1 MiB; another negative errno, also where a drop-in cannot be read.
 */
int unit_load(struct arena *arena, const char *root, const char *name, const char *file,
	      struct loaded_unit *unit);

/*
 * Reads a whole file of at most 1 MiB into the arena. Returns 0, or a negative errno: -EFBIG,
 * -EISDIR for a directory, -EINVAL for what else is no regular file.
 */
int unit_file_read(struct arena *arena, const char *path, const char **text, size_t *len);

#endif

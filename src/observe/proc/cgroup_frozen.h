/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a process stands still because its cgroup is frozen. */
#ifndef EW_OBSERVE_PROC_CGROUP_FROZEN_H
#define EW_OBSERVE_PROC_CGROUP_FROZEN_H

#include <stdbool.h>

#include "base/proc.h"
#include "facts.h"

/* Where a hierarchy is mounted, and which of its cgroups is the root of that mount. */
struct cgroup_mount {
	char at[512]; /* "": not mounted here */
	char root[512];
};

struct cgroup_mounts {
	struct cgroup_mount freezer; /* version 1 */
	struct cgroup_mount unified; /* version 2 */
};

/* By /proc/self/mountinfo. */
void cgroup_mounts_read(struct cgroup_mounts *mounts);

/*
 * Whether the cgroup of a process (proc_cgroups_read()), or one above it, is frozen or told to
 * freeze: freezer.state of version 1 (Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst),
 * cgroup.events and cgroup.freeze of version 2 (cgroup-v2.rst); both count the cgroups above.
 * Unknown: its cgroup is not to be found in what is mounted here.
 */
enum ew_tri cgroup_frozen(const struct cgroup_mounts *mounts, const struct proc_cgroups *cgroups);

/* The cgroup that was read last; all zero: none. */
struct cgroup_frozen_last {
	bool known;
	enum ew_tri frozen;
	struct proc_cgroups of;
};

/*
 * The same for the processes of one scan, of which hundreds may share a cgroup: its files are read
 * once for those that follow each other. last->known is to be cleared before the next scan.
 */
enum ew_tri cgroup_frozen_once(struct cgroup_frozen_last *last, const struct cgroup_mounts *mounts,
			       const struct proc_cgroups *cgroups);

/*
 * The same where its cgroup is not to be found: by where its first thread sleeps. dir is its
 * directory in /proc, state the letter of its stat. Unknown: /proc/PID/wchan tells nothing. A
 * process that the freezer of version 1 holds is in state D, which the reader of states notices.
 */
enum ew_tri cgroup_frozen_by_wchan(int dir, char state);

#endif

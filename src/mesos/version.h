/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which Mesos an executor runs: the version of its own library counts, not the agent's. */
#ifndef EW_MESOS_VERSION_H
#define EW_MESOS_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"

/* Order of the release phases: what is no plain release comes before it. */
enum mesos_phase {
	MESOS_PHASE_VENDOR = 0, /* any other suffix: nobody knows what is in it */
	MESOS_PHASE_DEV,
	MESOS_PHASE_RC,
	MESOS_PHASE_RELEASE,
};

struct mesos_version {
	uint16_t major;
	uint16_t minor;
	uint16_t patch;
	enum mesos_phase phase;
	uint16_t rc;		/* the N of -rcN */
	struct mesos_span text; /* all of it: "1.2.0-rc1" */
};

/* "1.0.4", "1.2.0-rc1", "1.12.0-dev", "1.2.0+vendor". 0, or -EINVAL. */
int mesos_version_parse(struct mesos_span text, struct mesos_version *version);

/*
 * From the path of a mapped library: "…/libmesos-1.0.4.so", also with ".so.0.0.0", " (deleted)",
 * or from a directory of a Python egg, "…/mesos.native-0.28.2-py2.7-linux-x86_64.egg/…/_mesos.so".
 * 0; -ENOENT for a Mesos library without a version in its path ("libmesos.so", "_mesos.so");
 * -EINVAL for another file.
 */
int mesos_version_from_path(struct mesos_span path, struct mesos_version *version);

/*
 * Does a v0 executor of this version open a new link when the agent asks it to reconnect? From
 * 1.1.2, 1.2.0 and 1.3.0 on (commits d9e3c8aa4, 056978a0f, e555eda79; MESOS-7057). What came before
 * those releases under the same number (1.2.0-rc1, 1.3.0-dev) may or may not have it: no.
 *
 * DC/OS builds its own Mesos from forks that print the number of the release they began with:
 * 1.8.9 calls itself 1.0.4 and may relink all the same. This cannot be told: no, which errs on the
 * safe side, a needless treatment.
 */
bool mesos_version_relinks(const struct mesos_version *version);

#endif

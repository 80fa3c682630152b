/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Room on the file systems that an agent writes to: FACT_DISK. */
#ifndef EW_OBSERVE_AGENT_DISKS_H
#define EW_OBSERVE_AGENT_DISKS_H

#include <stdint.h>

struct fact_sink;

/*
 * name is what it is called in facts; path as it can be opened here, with the agent's root before
 * it where that is another (base/root_path.h). Looks at the nearest directory above it when it is
 * not there yet. Returns 0 or a negative errno. May hang with the file system: call it in a child
 * (bounded_emit.h).
 */
int disk_emit(const char *role, const char *name, const char *path, const struct fact_sink *sink);

#endif

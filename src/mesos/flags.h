/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's flags, which /flags and /state answer with. */
#ifndef EW_MESOS_FLAGS_H
#define EW_MESOS_FLAGS_H

#include <jansson.h>

struct mesos_flags;

/* object may be NULL. 0, or -ENOMEM with what was read so far to be cleared. */
int mesos_flags_read(const json_t *object, struct mesos_flags *flags);
void mesos_flags_clear(struct mesos_flags *flags);

#endif

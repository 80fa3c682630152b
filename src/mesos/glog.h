/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A line of an executor's log (its sandbox' stderr): "I1012 16:43:29.363692 35513 exec.cpp:463]
 * text", with glog 0.6 "I20261012 16:…". Tasks write into the same file and can write the same
 * text: a line is a hint, not a proof.
 */
#ifndef EW_MESOS_GLOG_H
#define EW_MESOS_GLOG_H

#include "mesos/span.h"

struct mesos_glog {
	struct mesos_span file; /* "exec.cpp" */
	struct mesos_span text;
};

/* One line, its end included or not. 0, or -EINVAL. */
int mesos_glog_parse(struct mesos_span line, struct mesos_glog *glog);

#endif

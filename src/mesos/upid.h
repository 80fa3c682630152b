/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of libprocess processes: "executor(1)@10.0.0.7:41234", "slave(1)@[fe80::1]:5051". */
#ifndef EW_MESOS_UPID_H
#define EW_MESOS_UPID_H

#include "facts.h"
#include "mesos/span.h"

struct mesos_upid {
	struct mesos_span id; /* "executor(1)"; empty for an HTTP scheduler ("@0.0.0.0:0") */
	struct ew_addr addr;
};

/* Returns 0, or -EINVAL with *upid untouched. Host names are not addresses: -EINVAL. */
int mesos_upid_parse(struct mesos_span text, struct mesos_upid *upid);

/* Only the address: "10.0.0.7:5051", "[fe80::1]:5051". As mesos_upid_parse(). */
int mesos_endpoint_parse(struct mesos_span text, struct ew_addr *addr);

#endif

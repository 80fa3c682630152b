/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The docker daemon and Mesos' containers in it: FACT_DOCKER, FACT_CONTAINER. */
#ifndef EW_OBSERVE_AGENT_DOCKER_H
#define EW_OBSERVE_AGENT_DOCKER_H

#include "facts.h"

/*
 * Asks the daemon at the domain socket, which facts call name, for its containers (Engine API, GET
 * /containers/json?all=1), for 2 s at most: call it in a child (bounded_emit.h). Emits a
 * FACT_CONTAINER for each whose name begins with "mesos-" (Mesos slave/containerizer/docker.hpp,
 * DOCKER_NAME_PREFIX), then FACT_DOCKER.
 */
void docker_emit(const char *name, const char *socket, enum ew_tri kill_orphans,
		 const struct fact_sink *sink);

#endif

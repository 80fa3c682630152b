/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_ENV_H
#define LAB_ENV_H

#include "launch.h"

/* NULL-terminated environments, malloc'd; freed by exec. */
char **env_executor(const struct launch *l);	  /* what the agent gives an executor */
char **env_containerizer(const struct launch *l); /* `mesos-containerizer launch`: the agent's */

char *env_upid(const struct launch *l);	   /* "slave(1)@127.0.0.1:5051" */
char *env_library(const struct launch *l); /* path of libmesos-VERSION.so */

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_DISGUISE_H
#define LAB_DISGUISE_H

#include "launch.h"

#include <sys/types.h>

/*
 * Starts the first process of an executor's container, disguised as l->as wants it: own
 * session, sandbox as working directory, stdout and stderr in it, own namespaces if asked
 * for. Returns its pid as the caller sees it, or -errno.
 */
pid_t disguise_container(const struct launch *l);

/* Becomes the executor proper; returns only on failure. Expects the launch at FD_CONF. */
void disguise_exec(const struct launch *l);

/* The launch that FD_CONF holds; closes it. */
struct launch *disguise_read_conf(void);

/* Makes sure that DIR/bin/NAME is this program. */
int disguise_install(const char *dir, const char *name);
int disguise_install_all(const char *dir); /* all that an agent starts */

int copy_file(const char *from, const char *to); /* mode 0755 */

#endif

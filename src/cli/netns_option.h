/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --netns: the network namespace of the agent. */
#ifndef EW_CLI_NETNS_OPTION_H
#define EW_CLI_NETNS_OPTION_H

struct error;

/*
 * name: the pid of a process in it, or a path that refers to it; NULL: our own. *nsfd gets a
 * descriptor, the caller's, or NETNS_OWN for our own. Returns 0 or a negative errno.
 */
int netns_option_open(const char *name, int *nsfd, struct error *error);

#endif

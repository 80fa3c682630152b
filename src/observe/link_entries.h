/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The connection tracking entries of some links as they are now, without a scan of the node. */
#ifndef EW_OBSERVE_LINK_ENTRIES_H
#define EW_OBSERVE_LINK_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

struct error;

struct link_entries {
	int32_t pid;		      /* the executor's, to find its namespace by */
	uint64_t netns;		      /* of its end of the link */
	struct ew_addr local, remote; /* of that end */
	bool wanted;		      /* else it is left out */
	/* Where an entry was found: of a later look-up all of these are needed. Zero at first. */
	bool in_own, in_agents;
	/* Found: */
	enum ew_tri present;	  /* all its entries, of which there is one */
	int64_t earliest, latest; /* mono ns between which the first expires; only if present */
};

/*
 * Looks up the links that are wanted, in the executors' namespaces and in the agent's (nsfd, or
 * NETNS_OWN; its inode). What is left of an entry is told in whole seconds. Returns 0, or a
 * negative errno when a namespace could not be asked; present of its links is then unknown.
 */
int link_entries_look(int nsfd, uint64_t netns, struct link_entries *links, size_t n,
		      struct error *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The list of links that the standby thread may shut down, in locked memory. */
#ifndef EW_ACT_STANDBY_LIST_H
#define EW_ACT_STANDBY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/standby.h"

struct standby_list {
	size_t n, size;
	struct armed_file *file;
	struct standby_link links[];
};

/* Copies the links; *locked: into locked memory. NULL: out of memory. To be freed. */
struct standby_list *standby_list_new(const struct standby_link *links, size_t n, bool *locked);
/* With its pidfds and its file, which stays in its directory unless finished. NULL is fine. */
void standby_list_free(struct standby_list *list, bool finished);

/*
 * Opens the processes, and checks the sockets: what is not as requested becomes ARMED_LEFT. Plans
 * of injections by ptrace are taken over from an earlier list (may be NULL), or made by planner.
 */
void standby_list_prepare(struct standby_list *list, const struct standby_list *earlier,
			  struct inject_worker *planner);

/*
 * After the end of the agent, at ended (mono ns): looks at all links until those that noticed have,
 * and nothing changes any more.
 */
void standby_list_settle(struct standby_list *list, int64_t ended);

/* Shuts down one link. worker: NULL where the method is INJECT_PIDFD. */
void standby_link_treat(struct standby_link *link, struct inject_worker *worker);
/* Notes its state, for the next execwatch too. */
void standby_link_set(struct standby_link *link, enum armed_state state);

/* A pidfd of the process of the request, the caller's; or a negative errno. */
int standby_identify(const struct inject_request *request);

#endif

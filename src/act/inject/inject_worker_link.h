/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The channel between a worker and its parent: one byte a message, with or without a descriptor. */
#ifndef EW_ACT_INJECT_INJECT_WORKER_LINK_H
#define EW_ACT_INJECT_INJECT_WORKER_LINK_H

#include <stdbool.h>

/* Sends copy along unless it is -1; the caller keeps its own. False: the other side has ended. */
bool inject_worker_link_send(int link, int copy);

/*
 * Blocks until a message comes. *ret_copy: a new descriptor, which the caller closes, or -1. False:
 * the other side has ended.
 */
bool inject_worker_link_receive(int link, int *ret_copy);

#endif

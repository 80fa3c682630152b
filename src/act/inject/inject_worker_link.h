/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What goes between an injector and its child: a byte that says "next" or "done", and a descriptor.
 */
#ifndef EW_ACT_INJECT_INJECT_WORKER_LINK_H
#define EW_ACT_INJECT_INJECT_WORKER_LINK_H

#include <stdbool.h>

/* copy goes along unless it is -1; the caller keeps its own. False: the other side has ended. */
bool inject_worker_link_send(int link, int copy);

/* Waits. *ret_copy: a new descriptor, which the caller closes, or -1. False: the other side has
 * ended. */
bool inject_worker_link_receive(int link, int *ret_copy);

#endif

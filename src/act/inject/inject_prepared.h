/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same as inject_shutdown() by INJECT_PIDFD for a process that was identified before, in a few
 * calls: pidfd is known to be of the process of the request.
 */
#ifndef EW_ACT_INJECT_INJECT_PREPARED_H
#define EW_ACT_INJECT_INJECT_PREPARED_H

#include "act/inject/inject_api.h"

/*
 * Checks that the descriptor still is that very socket, ESTABLISHED, and not shut down. Returns 0,
 * or the negative errno of the refusal in *result.
 */
int inject_prepared_check(const struct inject_request *request, int pidfd,
			  struct inject_result *result);

/* The same, and shuts it down. */
int inject_prepared_shutdown(const struct inject_request *request, int pidfd,
			     struct inject_result *result);

#endif

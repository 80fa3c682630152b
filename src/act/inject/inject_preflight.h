/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The checks that every method needs. */
#ifndef EW_ACT_INJECT_INJECT_PREFLIGHT_H
#define EW_ACT_INJECT_INJECT_PREFLIGHT_H

#include "act/inject/inject_result.h"

/*
 * Checks the deadline, the identity of the process, and that its descriptor is the requested
 * socket. On success *ret_copy is a checked copy of the descriptor, which the caller closes, or -1
 * where the kernel cannot copy descriptors. Returns 0, or a negative errno with *end filled.
 */
int inject_preflight(const struct inject_request *request, int *ret_copy, struct inject_end *end);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_AGENT_ADDRESS_H
#define EW_OBSERVE_AGENT_ADDRESS_H

#include "facts.h"

/*
 * Has an interface of the network namespace (nsfd, or NETNS_OWN) this address? bind(2) says so; no
 * port is taken for long. Unknown: it could not be tried.
 */
enum ew_tri address_is_bound(const struct ew_addr *addr, int nsfd);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_NETLINK_LEGACY_RULES_H
#define EW_OBSERVE_NETLINK_LEGACY_RULES_H

#include <stdbool.h>

/*
 * Do the tables of iptables-legacy (v6: ip6tables-legacy) hold anything but policies ACCEPT, in the
 * calling thread's network namespace? The table nat is left out: it sees the first packet of a
 * connection only. Tables that nobody has used yet are not created by asking. Returns 1, 0, or a
 * negative errno.
 */
int legacy_rules_exist(bool v6);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_FIREWALL_CURE_H
#define EW_FIREWALL_CURE_H

#include <stddef.h>

struct firewall_packet;
struct ruleset;

#define FIREWALL_CURE_MAX 1024

/*
 * The command line for sh that makes this host accept such packets on the loopback device from now
 * on: one rule at the head of every base chain that drops the packet or may drop it, joined by
 * " && ": "nft insert rule inet fw in iifname lo accept", or
 * "iptables -w -I INPUT -i lo -j ACCEPT" where the chain is one of iptables. For rules of
 * iptables-legacy that were not read: "iptables-legacy -w -I INPUT -i lo -j ACCEPT".
 *
 * The rules are lost at a reboot unless the operator adds them to the file that the firewall is
 * loaded from. A firewall manager that reloads its rules (firewalld, ufw) removes them as well.
 *
 * buf: FIREWALL_CURE_MAX bytes, always terminated. Returns the number of commands; 0 with buf "":
 * no rule drops the packet, or no command is known (rules that were not read, a table that its
 * owner alone may change, too long a line).
 */
size_t firewall_cure(const struct ruleset *rules, const struct firewall_packet *packet, char *buf,
		     size_t size);

#endif

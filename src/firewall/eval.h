/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What nftables does with one TCP packet between two sockets of one network namespace:
 * three-valued, so that what is unknown, or not understood, never gives a definite answer. Pure.
 *
 * The packet passes, in this order, the base chains of the hooks output and postrouting, the device
 * lo, and prerouting and input (plus egress and ingress, where lo has such chains), each hook's
 * chains by priority. Every one must accept: a drop is final, an accept ends one base chain only
 * (nft(8), VERDICT STATEMENTS).
 *
 * Chains of type nat are left out. Only the first packet of a connection traverses them, and a
 * packet without a connection (invalid, untracked) never does: nf_nat_inet_fn(),
 * net/netfilter/nf_nat_core.c of Linux 6.1 and 6.18.
 *
 * Not seen here: programs of BPF, tc and XDP, LSM, IPVS, and a full connection table, which drops a
 * packet before any rule says so (nf_conntrack_in(): "Too stressed to deal").
 */
#ifndef EW_FIREWALL_EVAL_H
#define EW_FIREWALL_EVAL_H

#include <stdint.h>

#include "facts.h"

struct ruleset;

/* States that a packet may have for `ct state`; the bits are nft's own (nf_conntrack_common.h). */
enum firewall_ct {
	FIREWALL_CT_INVALID = 1,
	FIREWALL_CT_ESTABLISHED = 2,
	FIREWALL_CT_RELATED = 4,
	FIREWALL_CT_NEW = 8,
	FIREWALL_CT_UNTRACKED = 64,
	FIREWALL_CT_ANY = 1 | 2 | 4 | 8 | 64,
};

enum firewall_family { FIREWALL_FAMILY_UNKNOWN = 0, FIREWALL_IPV4 = 1, FIREWALL_IPV6 = 2 };

enum firewall_knows {
	FIREWALL_KNOWS_SADDR = 1,
	FIREWALL_KNOWS_SPORT = 2,
	FIREWALL_KNOWS_DADDR = 4,
	FIREWALL_KNOWS_DPORT = 8,
	FIREWALL_KNOWS_LOOPBACK = 16, /* leaves and arrives by the device lo */
	FIREWALL_KNOWS_ALL = 31,
};

/* A zeroed packet is one of which nothing is known. */
struct firewall_packet {
	enum firewall_family family;
	unsigned int known; /* mask of enum firewall_knows */
	struct ew_addr from, to;
	uint8_t tcp_flags;	 /* as in the TCP header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16 */
	uint8_t tcp_flags_known; /* mask of the flags that are known */
	/* The states that conntrack may give it, mask of enum firewall_ct; 0: any of them. */
	unsigned int ct;
};

/*
 * The FIN that the end `from` sends when its process exits, to the other end in the same namespace.
 * PSH and the flags of ECN are unknown: unsent data could carry the FIN.
 *
 * ct: FIREWALL_CT_INVALID where conntrack has no entry, since a FIN never makes one, whatever
 * tcp_loose says (tcp_new(), nf_conntrack_proto_tcp.c: state sNO with a FIN goes to sIV).
 */
struct firewall_packet firewall_fin(const struct ew_addr *from, const struct ew_addr *to,
				    unsigned int ct);

/* MAYBE: depends on what is unknown, or on what is not understood. */
enum firewall_decision { FIREWALL_MAYBE = 0, FIREWALL_ACCEPTED = 1, FIREWALL_DROPPED = 2 };

#define FIREWALL_NAME_MAX 128
#define FIREWALL_TEXT_MAX 256

/* A rule, or a base chain's policy. */
struct firewall_rule {
	char family[8]; /* of the table: "ip", "ip6", "inet", "netdev"; "": no rule at all */
	char table[FIREWALL_NAME_MAX];
	char chain[FIREWALL_NAME_MAX]; /* where the rule stands */
	char base[FIREWALL_NAME_MAX];  /* the base chain that led there */
	char hook[16];		       /* of the base chain: "output", "input", … */
	int64_t handle;		       /* of the rule; 0: the chain's policy */
	char text[FIREWALL_TEXT_MAX];  /* in the notation of nft, cut with "…": may be lossy */
};

struct firewall_result {
	enum firewall_decision decision;
	/* Is the packet untracked when it reaches the hook input? */
	enum ew_tri untracked;
	/*
	 * DROPPED: what drops it. MAYBE: the first that may drop it; family "" when no rule may,
	 * but something was not understood. ACCEPTED: what accepts it in the last chain that would
	 * not have done so by policy, else the last rule or policy met; family "" when no chain is
	 * met.
	 */
	struct firewall_rule by;
	struct firewall_rule
		notrack; /* the rule that makes it untracked, or may; family "": none */
};

/* Does not fail; the result is MAYBE when a bound on the work (a million steps) is reached. */
void firewall_evaluate(const struct ruleset *rules, const struct firewall_packet *packet,
		       struct firewall_result *result);

/* "ACCEPTED", "DROPPED" or "MAYBE". */
const char *firewall_decision_name(enum firewall_decision decision);

#endif

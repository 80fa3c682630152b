/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/sight.h"

#include <netinet/in.h> /* before linux/netfilter.h, which has another in.h */
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <string.h>

#include "firewall/eval.h"
#include "firewall/ruleset_private.h"

bool sight_step(const struct sight *sight)
{
	if (*sight->steps == 0)
		return false;
	--*sight->steps;
	return true;
}

static struct value unknown(void)
{
	return (struct value){ .kind = VALUE_UNKNOWN };
}

static struct value breaks(void)
{
	return (struct value){ .kind = VALUE_BREAK };
}

static struct value number(enum value_type type, size_t len, uint32_t bits)
{
	return value_number(type, len, bits, UINT32_MAX);
}

static struct value dev_value(const struct sight *sight, enum sight_dev dev)
{
	if (dev == SIGHT_DEV_NONE)
		return (struct value){ .kind = VALUE_NO_DEV };
	if (dev == SIGHT_DEV_UNKNOWN || !(sight->packet->known & FIREWALL_KNOWS_LOOPBACK))
		return unknown();
	return (struct value){ .kind = VALUE_DEV, .dev = "lo" };
}

static struct value dev_type(const struct sight *sight, enum sight_dev dev)
{
	struct value name = dev_value(sight, dev);

	return name.kind == VALUE_DEV ? number(VALUE_DEVTYPE, 2, ARPHRD_LOOPBACK) : unknown();
}

static struct value family_value(const struct sight *sight, enum value_type type, size_t len,
				 uint32_t v4, uint32_t v6)
{
	switch (sight->packet->family) {
	case FIREWALL_IPV4:
		return number(type, len, v4);
	case FIREWALL_IPV6:
		return number(type, len, v6);
	default:
		return unknown();
	}
}

static struct value meta_value(const struct sight *sight, const json_t *meta)
{
	const char *key = ruleset_string(meta, "key");

	if (strcmp(key, "iif") == 0 || strcmp(key, "iifname") == 0)
		return dev_value(sight, sight->iif);
	if (strcmp(key, "oif") == 0 || strcmp(key, "oifname") == 0)
		return dev_value(sight, sight->oif);
	if (strcmp(key, "iiftype") == 0)
		return dev_type(sight, sight->iif);
	if (strcmp(key, "oiftype") == 0)
		return dev_type(sight, sight->oif);
	if (strcmp(key, "l4proto") == 0 && !sight->rewritten)
		return number(VALUE_L4PROTO, 1, IPPROTO_TCP);
	if (strcmp(key, "nfproto") == 0)
		return family_value(sight, VALUE_NFPROTO, 1, NFPROTO_IPV4, NFPROTO_IPV6);
	if (strcmp(key, "protocol") == 0)
		return family_value(sight, VALUE_ETHERTYPE, 2, ETH_P_IP, ETH_P_IPV6);
	return unknown(); /* mark, skuid, pkttype, time, … */
}

/* nft_ct_get_eval(): every key but the state ends the rule for a packet without a connection. */
static struct value ct_value(const struct sight *sight, const json_t *ct)
{
	const char *key = ruleset_string(ct, "key");
	unsigned int state = sight->ct;

	if (strcmp(key, "state") != 0)
		return state & ~(unsigned int)(FIREWALL_CT_INVALID | FIREWALL_CT_UNTRACKED)
			       ? unknown()
			       : breaks();
	if (state & (state - 1))
		return unknown(); /* states_each() asks for one state at a time */
	return number(VALUE_CT_STATE, 4, state);
}

static struct value addr_value(const struct sight *sight, const struct ew_addr *addr,
			       unsigned int known)
{
	bool v4 = sight->packet->family == FIREWALL_IPV4;
	struct value value = { .kind = VALUE_BITS,
			       .type = v4 ? VALUE_ADDR4 : VALUE_ADDR6,
			       .len = v4 ? 4 : 16 };

	if (!(sight->packet->known & known))
		return unknown();
	memcpy(value.bits, addr->ip + 16 - value.len, value.len);
	memset(value.known, 0xff, value.len);
	return value;
}

static struct value ip_value(const struct sight *sight, const char *field, bool v4)
{
	const struct firewall_packet *packet = sight->packet;

	if (packet->family == FIREWALL_FAMILY_UNKNOWN)
		return unknown();
	if (v4 != (packet->family == FIREWALL_IPV4))
		return breaks(); /* nft itself puts a test of the family before the field */
	if (strcmp(field, "saddr") == 0)
		return addr_value(sight, &packet->from, FIREWALL_KNOWS_SADDR);
	if (strcmp(field, "daddr") == 0)
		return addr_value(sight, &packet->to, FIREWALL_KNOWS_DADDR);
	if (strcmp(field, "version") == 0)
		return number(VALUE_NUMBER, 1, v4 ? 4 : 6);
	if (v4 && strcmp(field, "protocol") == 0)
		return number(VALUE_L4PROTO, 1, IPPROTO_TCP);
	return unknown(); /* an IPv6 extension header may come before TCP */
}

static struct value tcp_value(const struct sight *sight, const char *field)
{
	const struct firewall_packet *packet = sight->packet;

	if (strcmp(field, "sport") == 0)
		return packet->known & FIREWALL_KNOWS_SPORT
			       ? number(VALUE_NUMBER, 2, packet->from.port)
			       : unknown();
	if (strcmp(field, "dport") == 0)
		return packet->known & FIREWALL_KNOWS_DPORT
			       ? number(VALUE_NUMBER, 2, packet->to.port)
			       : unknown();
	if (strcmp(field, "flags") == 0)
		return value_number(VALUE_TCP_FLAGS, 1, packet->tcp_flags, packet->tcp_flags_known);
	return unknown();
}

static struct value payload_value(const struct sight *sight, const json_t *payload)
{
	static const char *const others[] = { "udp",  "udplite", "icmp", "icmpv6",
					      "igmp", "sctp",	 "dccp" };
	const char *protocol = ruleset_string(payload, "protocol");
	const char *field = ruleset_string(payload, "field");

	if (sight->rewritten)
		return unknown();
	if (strcmp(protocol, "ip") == 0)
		return ip_value(sight, field, true);
	if (strcmp(protocol, "ip6") == 0)
		return ip_value(sight, field, false);
	if (strcmp(protocol, "tcp") == 0)
		return tcp_value(sight, field);
	if (strcmp(protocol, "th") == 0 && strcmp(field, "flags") != 0)
		return tcp_value(sight, field);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(protocol, others[i]) == 0)
			return breaks(); /* nft puts a test of the protocol before the field */
	return unknown();
}

struct value sight_value(const struct sight *sight, const json_t *expr)
{
	const json_t *body;

	if (!sight_step(sight) || json_object_size(expr) != 1)
		return unknown();
	if ((body = json_object_get(expr, "meta")))
		return meta_value(sight, body);
	if ((body = json_object_get(expr, "ct")))
		return ct_value(sight, body);
	if ((body = json_object_get(expr, "payload")))
		return payload_value(sight, body);
	if ((body = json_object_get(expr, "&")) && json_array_size(body) == 2) {
		struct value value = sight_value(sight, json_array_get(body, 0));

		return value_and(&value, json_array_get(body, 1));
	}
	return unknown();
}

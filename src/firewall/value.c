/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/value.h"

#include <arpa/inet.h> /* before linux/netfilter.h, which has another in.h */
#include <netinet/in.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <string.h>

struct symbol {
	enum value_type type;
	const char *name;
	uint32_t number;
};

/* Tables of nftables 1.0.6, src/proto.c, src/ct.c, src/datatype.c and src/meta.c. */
static const struct symbol symbols[] = {
	{ VALUE_TCP_FLAGS, "fin", 1 },
	{ VALUE_TCP_FLAGS, "syn", 2 },
	{ VALUE_TCP_FLAGS, "rst", 4 },
	{ VALUE_TCP_FLAGS, "psh", 8 },
	{ VALUE_TCP_FLAGS, "ack", 16 },
	{ VALUE_TCP_FLAGS, "urg", 32 },
	{ VALUE_TCP_FLAGS, "ecn", 64 },
	{ VALUE_TCP_FLAGS, "cwr", 128 },
	{ VALUE_CT_STATE, "invalid", 1 },
	{ VALUE_CT_STATE, "established", 2 },
	{ VALUE_CT_STATE, "related", 4 },
	{ VALUE_CT_STATE, "new", 8 },
	{ VALUE_CT_STATE, "untracked", 64 },
	{ VALUE_L4PROTO, "tcp", IPPROTO_TCP },
	{ VALUE_L4PROTO, "udp", IPPROTO_UDP },
	{ VALUE_L4PROTO, "udplite", IPPROTO_UDPLITE },
	{ VALUE_L4PROTO, "icmp", IPPROTO_ICMP },
	{ VALUE_L4PROTO, "ipv6-icmp", IPPROTO_ICMPV6 },
	{ VALUE_L4PROTO, "icmpv6", IPPROTO_ICMPV6 },
	{ VALUE_L4PROTO, "igmp", IPPROTO_IGMP },
	{ VALUE_L4PROTO, "gre", IPPROTO_GRE },
	{ VALUE_L4PROTO, "esp", IPPROTO_ESP },
	{ VALUE_L4PROTO, "ah", IPPROTO_AH },
	{ VALUE_L4PROTO, "comp", IPPROTO_COMP },
	{ VALUE_L4PROTO, "dccp", IPPROTO_DCCP },
	{ VALUE_L4PROTO, "sctp", IPPROTO_SCTP },
	{ VALUE_NFPROTO, "ipv4", NFPROTO_IPV4 },
	{ VALUE_NFPROTO, "ipv6", NFPROTO_IPV6 },
	{ VALUE_ETHERTYPE, "ip", ETH_P_IP },
	{ VALUE_ETHERTYPE, "ip6", ETH_P_IPV6 },
	{ VALUE_ETHERTYPE, "arp", ETH_P_ARP },
	{ VALUE_ETHERTYPE, "vlan", ETH_P_8021Q },
	{ VALUE_DEVTYPE, "loopback", ARPHRD_LOOPBACK },
	{ VALUE_DEVTYPE, "ether", ARPHRD_ETHER },
	{ VALUE_DEVTYPE, "ppp", ARPHRD_PPP },
};

static void number_put(uint8_t *bytes, size_t len, uint64_t number)
{
	for (size_t i = len; i > 0; i--, number >>= 8)
		bytes[i - 1] = (uint8_t)number;
}

struct value value_number(enum value_type type, size_t len, uint32_t bits, uint32_t known)
{
	struct value value = { .kind = VALUE_BITS, .type = type, .len = len };

	number_put(value.bits, len, bits & known);
	number_put(value.known, len, known);
	return value;
}

static bool flags_type(enum value_type type)
{
	return type == VALUE_TCP_FLAGS || type == VALUE_CT_STATE;
}

static bool symbol_read(const struct value *like, const char *text, uint8_t *bytes)
{
	if (like->type == VALUE_ADDR4)
		return inet_pton(AF_INET, text, bytes) == 1;
	if (like->type == VALUE_ADDR6)
		return inet_pton(AF_INET6, text, bytes) == 1;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (symbols[i].type == like->type && strcmp(symbols[i].name, text) == 0) {
			number_put(bytes, like->len, symbols[i].number);
			return true;
		}
	return false;
}

static bool scalar_read(const struct value *like, const json_t *constant, uint8_t *bytes)
{
	json_int_t number;

	if (json_is_string(constant))
		return symbol_read(like, json_string_value(constant), bytes);
	if (!json_is_integer(constant))
		return false;
	number = json_integer_value(constant);
	if (number < 0 || like->len > 4 || (uint64_t)number >> (8 * like->len))
		return false;
	number_put(bytes, like->len, (uint64_t)number);
	return true;
}

/* A scalar, or flags joined by "or": ["fin","ack"] or {"|": ["fin","ack"]}. */
static bool constant_read(const struct value *like, const json_t *constant, uint8_t *bytes)
{
	uint8_t one[VALUE_BYTES] = { 0 };
	const json_t *list = json_is_object(constant) ? json_object_get(constant, "|") : constant;
	const json_t *item;
	size_t at;

	memset(bytes, 0, VALUE_BYTES);
	if (!json_is_array(list))
		return scalar_read(like, constant, bytes);
	if (!flags_type(like->type))
		return false;
	json_array_foreach(list, at, item)
	{
		if (!scalar_read(like, item, one))
			return false;
		for (size_t i = 0; i < like->len; i++)
			bytes[i] |= one[i];
	}
	return true;
}

struct value value_and(const struct value *value, const json_t *constant)
{
	struct value result = *value;
	uint8_t mask[VALUE_BYTES];

	if (value->kind == VALUE_BREAK)
		return result;
	if (value->kind != VALUE_BITS || !constant_read(value, constant, mask)) {
		result.kind = VALUE_UNKNOWN;
		return result;
	}
	for (size_t i = 0; i < value->len; i++) {
		result.bits[i] &= mask[i];
		result.known[i] |= (uint8_t)~mask[i];
	}
	return result;
}

/* Compares the bits of mask. */
static enum ew_tri bits_equal(const struct value *value, const uint8_t *bytes, const uint8_t *mask)
{
	enum ew_tri equal = EW_YES;

	for (size_t i = 0; i < value->len; i++) {
		if ((value->bits[i] ^ bytes[i]) & value->known[i] & mask[i])
			return EW_NO;
		if (~value->known[i] & mask[i])
			equal = EW_UNKNOWN;
	}
	return equal;
}

static bool value_complete(const struct value *value)
{
	for (size_t i = 0; i < value->len; i++)
		if (value->known[i] != 0xff)
			return false;
	return value->kind == VALUE_BITS;
}

bool value_order(const struct value *value, const json_t *constant, int *order)
{
	uint8_t bytes[VALUE_BYTES];
	int way;

	if (!value_complete(value) || !constant_read(value, constant, bytes))
		return false;
	way = memcmp(value->bits, bytes, value->len);
	*order = way < 0 ? -1 : way > 0;
	return true;
}

static enum ew_tri range_has(const struct value *value, const json_t *range)
{
	int low, high;

	if (json_array_size(range) != 2 || !value_order(value, json_array_get(range, 0), &low) ||
	    !value_order(value, json_array_get(range, 1), &high))
		return EW_UNKNOWN;
	return tri_of(low >= 0 && high <= 0);
}

static enum ew_tri prefix_has(const struct value *value, const json_t *prefix)
{
	json_int_t len = json_integer_value(json_object_get(prefix, "len"));
	uint8_t bytes[VALUE_BYTES], mask[VALUE_BYTES] = { 0 };

	if (!json_is_integer(json_object_get(prefix, "len")) || len < 0 ||
	    (size_t)len > value->len * 8 ||
	    !constant_read(value, json_object_get(prefix, "addr"), bytes))
		return EW_UNKNOWN;
	for (size_t bit = 0; bit < (size_t)len; bit++)
		mask[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
	return bits_equal(value, bytes, mask);
}

/* A name that ends in '*' stands for all that begin so; a backslash hides a real '*'. */
static enum ew_tri dev_is(const char *dev, const json_t *constant)
{
	const char *name = json_string_value(constant);
	size_t len = name ? strlen(name) : 0;

	if (!len || strchr(name, '\\') || name[0] == '*')
		return EW_UNKNOWN;
	if (name[len - 1] == '*')
		return tri_of(dev && strncmp(dev, name, len - 1) == 0);
	return tri_of(dev && strcmp(dev, name) == 0);
}

enum ew_tri value_is(const struct value *value, const json_t *constant)
{
	static const uint8_t all[VALUE_BYTES] = { 255, 255, 255, 255, 255, 255, 255, 255,
						  255, 255, 255, 255, 255, 255, 255, 255 };
	uint8_t bytes[VALUE_BYTES];
	const json_t *range = json_object_get(constant, "range");
	const json_t *prefix = json_object_get(constant, "prefix");

	if (value->kind == VALUE_BREAK)
		return EW_NO;
	if (value->kind == VALUE_DEV || value->kind == VALUE_NO_DEV)
		return dev_is(value->kind == VALUE_DEV ? value->dev : NULL, constant);
	if (value->kind != VALUE_BITS)
		return EW_UNKNOWN;
	if (range)
		return range_has(value, range);
	if (prefix)
		return prefix_has(value, prefix);
	return constant_read(value, constant, bytes) ? bits_equal(value, bytes, all) : EW_UNKNOWN;
}

enum ew_tri value_has_any(const struct value *value, const json_t *constant)
{
	uint8_t bytes[VALUE_BYTES];
	enum ew_tri any = EW_NO;

	if (value->kind == VALUE_BREAK)
		return EW_NO;
	if (value->kind != VALUE_BITS || !flags_type(value->type) ||
	    !constant_read(value, constant, bytes))
		return EW_UNKNOWN;
	for (size_t i = 0; i < value->len; i++) {
		if (value->bits[i] & value->known[i] & bytes[i])
			return EW_YES;
		if (~value->known[i] & bytes[i])
			any = EW_UNKNOWN;
	}
	return any;
}

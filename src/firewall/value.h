/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of a packet, partly unknown, and their comparison with the constants of nft's JSON. */
#ifndef EW_FIREWALL_VALUE_H
#define EW_FIREWALL_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

static inline enum ew_tri tri_of(bool yes)
{
	return yes ? EW_YES : EW_NO;
}

static inline enum ew_tri tri_not(enum ew_tri a)
{
	return a == EW_UNKNOWN ? EW_UNKNOWN : tri_of(a == EW_NO);
}

static inline enum ew_tri tri_and(enum ew_tri a, enum ew_tri b)
{
	if (a == EW_NO || b == EW_NO)
		return EW_NO;
	return a == EW_YES && b == EW_YES ? EW_YES : EW_UNKNOWN;
}

static inline enum ew_tri tri_or(enum ew_tri a, enum ew_tri b)
{
	return tri_not(tri_and(tri_not(a), tri_not(b)));
}

enum value_kind {
	VALUE_UNKNOWN = 0,
	VALUE_BREAK,  /* the packet has no such field: the kernel ends the rule (NFT_BREAK) */
	VALUE_NO_DEV, /* no such device in this hook: the kernel gives an empty name, or breaks */
	VALUE_BITS,
	VALUE_DEV, /* name of a network device */
};

/* How nft writes constants of this value. */
enum value_type {
	VALUE_NUMBER = 0,
	VALUE_ADDR4,
	VALUE_ADDR6,
	VALUE_TCP_FLAGS,
	VALUE_CT_STATE,
	VALUE_L4PROTO,
	VALUE_NFPROTO,
	VALUE_ETHERTYPE,
	VALUE_DEVTYPE,
};

#define VALUE_BYTES   16
#define VALUE_DEV_MAX 16 /* IFNAMSIZ, linux/if.h */

struct value {
	enum value_kind kind;
	enum value_type type;
	size_t len;		    /* of bits and known, in bytes */
	uint8_t bits[VALUE_BYTES];  /* big endian */
	uint8_t known[VALUE_BYTES]; /* 1: this bit of bits is known */
	const char *dev;
};

/* A number of len bytes, whose bits known are known. */
struct value value_number(enum value_type type, size_t len, uint32_t bits, uint32_t known);

/* value & constant. */
struct value value_and(const struct value *value, const json_t *constant);

/* Is the value this scalar, list of flags, prefix or range? */
enum ew_tri value_is(const struct value *value, const json_t *constant);

/* Has the value one of the constant's bits? Flags and states only. */
enum ew_tri value_has_any(const struct value *value, const json_t *constant);

/* -1, 0, 1 into *order, or false when that is unknown. */
bool value_order(const struct value *value, const json_t *constant, int *order);

#endif

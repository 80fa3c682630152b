/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Types of values that facts share. Part of facts.h. */
#ifndef EW_FACTS_VALUES_H
#define EW_FACTS_VALUES_H

#include <stdint.h>

/* 0 is "not known", so that a field that was not filled in never counts as evidence. */
enum ew_tri { EW_UNKNOWN = 0, EW_NO = 1, EW_YES = 2 };

/* IPv4 is kept v4-mapped (::ffff:a.b.c.d), so both ends of a mixed connection compare equal. */
struct ew_addr {
	uint8_t ip[16];
	uint16_t port; /* host byte order */
};

#endif

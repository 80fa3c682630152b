/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_BASE_ADDR_H
#define EW_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

struct ew_addr;

#define ADDR_TEXT_MAX 64

/* "10.0.0.7:5051" or "[fe80::1]:5051" into buf (ADDR_TEXT_MAX bytes); returns buf. */
const char *addr_text(const struct ew_addr *addr, char *buf);

/* The inverse. Returns 0, or -EINVAL with *addr untouched. */
int addr_parse(const char *text, struct ew_addr *addr);

/* ip is 4 bytes in network order, kept v4-mapped. */
struct ew_addr addr_from_v4(const void *ip, uint16_t port);

bool addr_equal(const struct ew_addr *a, const struct ew_addr *b);
bool addr_ip_equal(const struct ew_addr *a, const struct ew_addr *b);
int addr_compare(const struct ew_addr *a, const struct ew_addr *b); /* a total order, by sign */
bool addr_is_v4(const struct ew_addr *addr);
bool addr_is_any(const struct ew_addr *addr);	   /* 0.0.0.0 or :: */
bool addr_is_loopback(const struct ew_addr *addr); /* 127.0.0.0/8 or ::1 */

#endif

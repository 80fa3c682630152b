/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Capabilities of the calling thread (capabilities(7)) as a mask: bit N is capability N. */
#ifndef EW_BASE_CAPS_H
#define EW_BASE_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

/* The effective set; 0 too where it cannot be read. */
uint64_t caps_effective(void);

/* Whether the capability (CAP_NET_ADMIN, ...) is in the effective set. */
bool caps_have(unsigned int cap);

/*
 * Writes the names of the capabilities of mask, lowest number first, with separator between them:
 * "CAP_BPF and CAP_PERFMON". Cut at size - 1 bytes; returns buf. Capabilities that execwatch does
 * not use appear as "capability 40".
 */
const char *caps_names(uint64_t mask, const char *separator, char *buf, size_t size);

/*
 * Removes what is not in mask from the effective, permitted and inheritable sets, for good. Returns
 * 0 or a negative errno.
 */
int caps_limit(uint64_t mask);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sequences of equal elements in a sorted array. */
#ifndef EW_BASE_EQUAL_RANGE_H
#define EW_BASE_EQUAL_RANGE_H

#include <stddef.h>

/*
 * Finds the elements that are equal to key by order(key, element), as for bsearch(3), by which the
 * array is sorted. Returns how many; *first is the index of the first, or where it would be.
 */
size_t equal_range(const void *key, const void *items, size_t n, size_t size,
		   int (*order)(const void *key, const void *item), size_t *first);

#endif

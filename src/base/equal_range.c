/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/equal_range.h"

size_t equal_range(const void *key, const void *items, size_t n, size_t size,
		   int (*order)(const void *key, const void *item), size_t *first)
{
	const char *bytes = items;
	size_t low = 0, high = n, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(key, bytes + middle * size) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < n && order(key, bytes + end * size) == 0; end++)
		continue;
	*first = low;
	return end - low;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int array_reserve(void *items, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap * 2 : 16;
	void *array;

	if (n < *cap)
		return 0;
	memcpy(&array, items, sizeof(array));
	array = reallocarray(array, want, size);
	if (!array)
		return -ENOMEM;
	memcpy(items, &array, sizeof(array));
	*cap = want;
	return 0;
}

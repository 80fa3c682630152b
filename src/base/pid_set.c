/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/pid_set.h"

#include <stdlib.h>

#include "base/array.h"

static int order(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int pid_set_add(struct pid_set *set, int32_t pid)
{
	int err = array_reserve(&set->v, &set->cap, set->n, sizeof(*set->v));

	if (!err)
		set->v[set->n++] = pid;
	return err;
}

void pid_set_sort(struct pid_set *set)
{
	if (set->n)
		qsort(set->v, set->n, sizeof(*set->v), order);
}

bool pid_set_has(const struct pid_set *set, int32_t pid)
{
	return set->n && bsearch(&pid, set->v, set->n, sizeof(*set->v), order);
}

void pid_set_clear(struct pid_set *set)
{
	set->n = 0;
}

void pid_set_free(struct pid_set *set)
{
	free(set->v);
	*set = (struct pid_set){ 0 };
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a guard knows, for who asks. */
#include "cli/guard_private.h"

#include "cli/guard_plan.h"

size_t guard_links(const struct guard *guard)
{
	return guard->plan ? guard_plan_links(guard->plan) : 0;
}

int guard_fd(const struct guard *guard)
{
	return guard && guard->plan ? guard_plan_fd(guard->plan) : -1;
}

bool guard_waits(const struct guard *guard)
{
	return guard && !guard->acted;
}

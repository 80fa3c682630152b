/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/upid.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"

int mesos_endpoint_parse(struct mesos_span text, struct ew_addr *addr)
{
	char copy[ADDR_TEXT_MAX];

	if (!text.p || text.len >= sizeof(copy) || memchr(text.p, '\0', text.len))
		return -EINVAL;
	return addr_parse(mesos_span_copy(text, copy, sizeof(copy)), addr);
}

int mesos_upid_parse(struct mesos_span text, struct mesos_upid *upid)
{
	/* The id may hold anything, the address no '@'. */
	struct mesos_span address = mesos_span_last(text, '@');

	if (!text.p || address.len == text.len)
		return -EINVAL;
	if (mesos_endpoint_parse(address, &upid->addr) < 0)
		return -EINVAL;
	upid->id = mesos_span_at(text.p, text.len - address.len - 1);
	return 0;
}

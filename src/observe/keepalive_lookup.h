/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_KEEPALIVE_LOOKUP_H
#define EW_OBSERVE_KEEPALIVE_LOOKUP_H

struct fact_sink;
struct snapshot;

/*
 * Emits FACT_KEEPALIVE for each link of the snapshot on which a keepalive timer runs, as of the
 * time when the scan of sockets listed it. Only for such a link is the executor's descriptor
 * copied, for the microseconds that its options take to read. What could not be read is told by
 * FACT_UNREAD and leaves the link without such a fact: it then counts as not protected.
 */
void keepalive_lookup_all(const struct snapshot *snapshot, const struct fact_sink *sink);

#endif

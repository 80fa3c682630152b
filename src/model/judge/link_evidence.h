/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The evidence on one link, from the store. */
#ifndef EW_MODEL_JUDGE_LINK_EVIDENCE_H
#define EW_MODEL_JUDGE_LINK_EVIDENCE_H

#include "model/judge/verdict.h"
#include "model/store/store.h"

/* recovery_timeout: the executor's, ns. */
struct link_evidence link_evidence_of(const struct store *store, const struct connection *conn,
				      int64_t recovery_timeout);
/* NULL: the rules were not evaluated for this link, or do not matter. */
const struct firewall *link_evidence_firewall(const struct store *store,
					      const struct connection *conn);
/* A link whose values were not read in the last scan is not on, and renewed is unknown. */
struct link_keepalive link_evidence_keepalive(const struct store *store,
					      const struct connection *conn);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the agent has described itself to its master: slave.info. */
#ifndef EW_OBSERVE_AGENT_AGENT_INFO_H
#define EW_OBSERVE_AGENT_AGENT_INFO_H

struct fact_sink;

/*
 * Emits FACT_AGENT_INFO of the directory dir, meta/slaves/SLAVE_ID. buf: CHECKPOINT_FILE_MAX bytes
 * that are written to.
 */
void agent_info_emit(int dir, const char *slave_id, char *buf, const struct fact_sink *sink);

#endif

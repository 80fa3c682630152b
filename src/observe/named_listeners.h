/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Other agents: executors name in MESOS_SLAVE_PID the address that their agent advertises. Where it
 * has none of our agent's ports, a socket that listens there proves that the agent is another one.
 */
#ifndef EW_OBSERVE_NAMED_LISTENERS_H
#define EW_OBSERVE_NAMED_LISTENERS_H

struct fact_sink;
struct snapshot;

/*
 * Emits FACT_LISTENER for each socket that listens on such a port, in our agent's network namespace
 * or the executor's. Nothing for what cannot be read: it is not known then whose executors they
 * are.
 */
void named_listeners_emit(const struct snapshot *snapshot, const struct fact_sink *sink);

#endif

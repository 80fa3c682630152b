/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --port may name the port that the agent listens on, or another one that it advertises. */
#ifndef EW_CLI_AGENT_PORT_H
#define EW_CLI_AGENT_PORT_H

struct options;

/*
 * Makes options->port the port of the agent's listener, and says so: where nothing listens on it,
 * that of the agent which says it advertises it; while no agent runs, that of the last baseline of
 * this boot which knows the port. options->earlier gets the ports of that baseline. Left alone is
 * what cannot be looked at: the scan says why.
 */
void agent_port_resolve(struct options *options);

#endif

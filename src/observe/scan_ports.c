/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ports that the agent advertises. */
#include <errno.h>

#include "base/agent_ports.h"
#include "base/emit.h"
#include "base/now.h"
#include "observe/agent/agent_flags.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"

/* ---- the ports ---- */

static bool port_learn(struct scan *scan, uint16_t port, const char *source)
{
	struct fact fact = { .type = FACT_PORT, .mono = now_mono() };

	if (!snapshot_add_port(scan->snapshot, port))
		return false;
	fact.port.port = port;
	fact.port.source = source;
	fact_emit(&scan->sink, &fact);
	return true;
}

/*
 * What the agent itself says counts, else its slave.info. The environment of executors does not:
 * anybody may give a program of his own such variables, and the agent's two sources have whatever
 * port the environment of a true executor has.
 */
static bool ports_learn(struct scan *scan)
{
	const struct snapshot_agent *agent = snapshot_agent(scan->snapshot);
	int said = agent ? agent_advertised_port(agent->pid) : -ENOENT;
	bool grown = port_learn(scan, said > 0 ? (uint16_t)said : 0, "flags");

	if (agent)
		grown |= port_learn(scan, snapshot_api_port(scan->snapshot), "api");
	if (said < 0)
		grown |= port_learn(scan, snapshot_info_port(scan->snapshot), "disk");
	for (int i = 1; !agent && i < AGENT_PORTS_MAX; i++)
		grown |= port_learn(scan, scan->options.earlier.v[i], "baseline");
	return grown;
}

/* Sockets with a port that is new were passed over so far. */
enum step scan_ports_step(struct scan *scan)
{
	const struct scan_options *options = &scan->options;
	const struct agent_ports *ports = snapshot_ports(scan->snapshot);
	int err;

	if (!ports_learn(scan))
		return STEP_DONE;
	err = options->set_ports ? options->set_ports(options->set_ports_ctx, ports) : 0;
	if (err)
		emit_unread(&scan->sink, 0, 0, err,
			    "connections to the ports that the agent advertises");
	scan_drop(scan);
	scan_reset(scan);
	return STEP_AGAIN;
}

const struct agent_ports *scan_ports(const struct scan *scan)
{
	return snapshot_ports(scan->snapshot);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/agent_port.h"

#include <unistd.h>

#include "base/netns.h"
#include "base/proc.h"
#include "base/safe_dir.h"
#include "cli/log.h"
#include "cli/netns_option.h"
#include "cli/options.h"
#include "observe/agent/listener_port.h"
#include "record/baseline.h"

/* Only where no agent runs: a baseline may be of an agent whose flags were others. */
static void port_from_baseline(struct options *options)
{
	struct baseline_dir dir = { safe_dir_open(options->state_dir, 0, "--state-dir", NULL),
				    options->state_dir };
	struct agent_ports ports;
	char boot_id[64];

	if (dir.fd < 0)
		return;
	proc_boot_id(boot_id, sizeof(boot_id));
	if (baseline_ports(&dir, boot_id, options->port, &ports)) {
		options->earlier = ports;
		if (ports.v[0] != options->port && !options->quiet)
			log_message("port %u is the one that the agent of the last audit "
				    "advertised; it listened on port %u, which is taken",
				    options->port, ports.v[0]);
		options->port = ports.v[0];
	}
	close(dir.fd);
}

void agent_port_resolve(struct options *options)
{
	struct listener_port found;
	int nsfd, err;

	if (netns_option_open(options->netns, &nsfd, NULL) < 0)
		return;
	err = listener_port_find(nsfd, options->port, &found, NULL);
	if (nsfd >= 0)
		close(nsfd);
	if (err)
		return;
	if (!found.port) {
		port_from_baseline(options);
		return;
	}
	if (found.port != options->port && !options->quiet)
		log_message(
			"port %u is advertised by the agent (pid %d), which listens on port %u: "
			"that one is taken",
			options->port, found.pid, found.port);
	options->port = found.port;
}

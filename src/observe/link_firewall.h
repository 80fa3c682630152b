/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the firewall of a network namespace does with the agent's FIN on the links within it. */
#ifndef EW_OBSERVE_LINK_FIREWALL_H
#define EW_OBSERVE_LINK_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fact_sink;
struct fact_socket;

/*
 * Reads the rules of the namespace (nsfd: a descriptor of it; netns: its inode) once and emits
 * FACT_FIREWALL for each of n links. Each link is an executor's end whose other end is in the same
 * namespace, so that the packets pass the device lo. tracked: connection tracking may be in force
 * there; the FIN is then one without an entry, else one that is not tracked. Rules that could not
 * be read, or not by until (mono ns; 0: no bound), give facts with accepted unknown and the reason.
 */
void link_firewall_emit(int nsfd, uint64_t netns, bool tracked, int64_t until,
			const struct fact_socket *const *links, size_t n,
			const struct fact_sink *sink);

#endif

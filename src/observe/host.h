/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether this host can be observed and acted on, without BPF (that is ew_bpf_hooks_probe()). */
#ifndef EW_OBSERVE_HOST_H
#define EW_OBSERVE_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum host_state {
	HOST_OK,
	HOST_DEGRADED, /* works, with less evidence or fewer methods */
	HOST_MISSING,  /* what needs it does not work */
};

/* Bits of needed_for. */
#define HOST_AUDIT    1u
#define HOST_SHUTDOWN 2u
#define HOST_WATCH    4u

struct host_probe {
	const char *name; /* "privilege", "pid-namespace", … */
	enum host_state state;
	unsigned int needed_for;
	char detail[200]; /* what was found */
	char cure[200];	  /* empty for HOST_OK */
};

#define HOST_PROBES_MAX 16

/*
 * Tries each, changes nothing; bpf: also what only observing by BPF needs. Fills at most
 * HOST_PROBES_MAX and returns how many; their order and names are the same on every host.
 */
size_t host_probe_all(bool bpf, struct host_probe *probes);

#endif

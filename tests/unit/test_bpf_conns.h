/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads the kernel's map of connections directly. */
#ifndef EW_TEST_BPF_CONNS_H
#define EW_TEST_BPF_CONNS_H

#include "observe/bpf/libbpf.h"
#include "test_bpf_actor.h"

/* Number of entries. The test's port is its own, so there are no others'. */
static inline size_t fixture_conns(const struct fixture *f)
{
	int fd = bpf_map__fd(f->watch->programs.skel->maps.conns);
	uint64_t cookie, *last = NULL;
	size_t n = 0;

	for (; bpf_map_get_next_key(fd, last, &cookie) == 0; last = &cookie)
		n++;
	return n;
}

#endif

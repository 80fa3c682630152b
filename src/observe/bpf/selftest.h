/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A quiet host and a blind observer look the same: so at its start a watch makes events of its own,
 * the birth and the end of a child, and expects to see them.
 */
#ifndef EW_OBSERVE_BPF_SELFTEST_H
#define EW_OBSERVE_BPF_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "events.h"

struct ew_bpf;
struct error;

/* A test that is under way. */
struct ew_bpf_selftest {
	uint32_t parent; /* 0: none */
	struct ew_task child;
	bool forked, exited; /* seen */
	uint64_t taken;	     /* records that were of tests, ever */
};

/*
 * Forks a child that ends at once and looks for both events, for 100 ms at most once it has ended;
 * three times at most. Whatever else happens meanwhile stays for the next drain. Errors: -EIO (they
 * did not come: this watch is blind; *error has the cure), those of fork(2) and of the map of
 * processes.
 */
int ew_bpf_selftest(struct ew_bpf *watch, struct error *error);

/* Is this record one of the test that is under way? Then it is nobody else's business. */
bool ew_bpf_selftest_takes(struct ew_bpf_selftest *test, const struct ew_header *header);

#endif

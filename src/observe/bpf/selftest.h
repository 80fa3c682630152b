/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A quiet host and an observer that sees nothing look the same. So an observer begins by causing
 * events itself, the fork and the exit of a child, and checks that they arrive.
 */
#ifndef EW_OBSERVE_BPF_SELFTEST_H
#define EW_OBSERVE_BPF_SELFTEST_H

struct error;
struct ew_bpf_records;
struct ew_bpf_rings;

/*
 * Forks a child that exits at once, and waits for both events for at most 100 ms after its exit;
 * three times at most. All other events stay for the next dispatch. procs_map: descriptor of the
 * map of followed processes. Errors: -EIO (the events did not arrive; *error has the cure), those
 * of fork(2) and of the map.
 */
int ew_bpf_selftest(int procs_map, struct ew_bpf_rings *rings, struct ew_bpf_records *records,
		    struct error *error);

#endif

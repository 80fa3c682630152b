/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compares the kernel's map "conns" with the kernel's own tables. The event of a socket's end
 * removes its entry. An entry stays for ever when that event is missed: the kernel skips a program
 * that is already running on that CPU (enum ew_bpf_miss); deleting may fail, since the locks of
 * hash maps do not wait without bound (-EBUSY from 5.11, -ETIMEDOUT and -EDEADLK from 6.15 on); a
 * scan may add a socket between its last event and its change of state, which come in that order.
 * And an owner may have exited, or have closed a socket that another process has inherited or was
 * passed.
 */
#ifndef EW_OBSERVE_BPF_CONNS_GC_H
#define EW_OBSERVE_BPF_CONNS_GC_H

#include <stdint.h>

struct event_batch;

/*
 * Removes entries of sockets that no longer exist, as far as they have not changed since began
 * (ktime), and the scan of this number, which began then, has not found them. A connection whose
 * owner has no descriptor of it gets a new owner from the rows of that scan.
 */
void conns_gc(int map, uint32_t scan_number, uint64_t began, const struct event_batch *rows);

#endif

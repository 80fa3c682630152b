/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps hold the present state, the rings carry the changes: a program updates the map first, so
 * that a full ring loses the record of a change but not its result. All maps are preallocated:
 * programs run in contexts that cannot allocate.
 */
#ifndef EW_BPF_MAPS_H
#define EW_BPF_MAPS_H

#include "events.h"
#include "read.bpf.h"

#define HASH(map_name, key_type, value_type, entries)                                              \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} map_name SEC(".maps")

HASH(procs, __u32, struct ew_proc, 16384);
HASH(conns, __u64, struct ew_conn, 32768);
HASH(listeners, struct ew_listen_key, struct ew_listeners, 8192);
HASH(exits, struct ew_exit_key, struct ew_exit, 4096);

/* Written by user space only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ew_meta);
} meta SEC(".maps");

/* Sequence number of the last event. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sequence SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ew_counters);
} counters SEC(".maps");

/* Two rings: a full ring drops new records, and a burst of messages must not cost an exit. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EW_LIFE_RING);
} life_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EW_MESSAGE_RING);
} message_ring SEC(".maps");

/* Set before loading. */
/* Generations of descendants that are followed: mesos-containerizer, executor, task. */
const volatile __u32 agent_depth = 3;
const volatile __u32 executor_depth = 1;
const volatile __u32 generation = 1;
/* execwatch itself. Its scan holds files for a moment, and may be the last to release one. */
const volatile __u32 own_tgid = 0;

/* Are these programs the active ones (struct ew_meta)? */
static __always_inline bool is_active(void)
{
	__u32 zero = 0;
	struct ew_meta *now = bpf_map_lookup_elem(&meta, &zero);

	return now && now->generation == generation;
}

#endif

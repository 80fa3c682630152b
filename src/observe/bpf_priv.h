/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between bpf.c, bpf_*.c and seed.c. */
#ifndef EW_OBSERVE_BPF_PRIV_H
#define EW_OBSERVE_BPF_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"
#include "observe/bpf_selftest.h"
#include "observe/rows.h"

struct bpf_history;
struct bpf_link;
struct bpf_program;
struct bpf_watch_options;
struct btf;
struct execwatch_bpf;
struct fact_sink;
struct fail;
struct live_batch;
struct ring_buffer;

#define BPF_SLOTS_MAX  12
#define BPF_LADDER_MAX 4
#define BPF_REASON_MAX 320

/*
 * What it means that the kernel has kept a program from an event. It does where the program is at
 * work on that CPU already: on top of itself (05b24ff9b2cf, 6.1), and from 7.0 on also when it was
 * preempted (a46023d5616e). It counts so for all events of the host, not only those that matter.
 */
enum bpf_skip {
	BPF_SKIP_LOSES,
	BPF_SKIP_HEALS,	   /* a walk makes it good; softirqs often come on top of connect(2) */
	BPF_SKIP_HARMLESS, /* the next event will do */
};

/* What serves one purpose: programs, best first, of which one is loaded. */
struct bpf_slot {
	const char *name;
	const char *programs[BPF_LADDER_MAX]; /* by function name; ends with NULL or the array */
	bool live;			      /* attached from the beginning */
	bool gives_cookies;		      /* wanted where tracing programs cannot (5.12) */
	enum bpf_skip skip;
};

extern const struct bpf_slot bpf_slots[];
extern const size_t bpf_slots_n;

/* What the kernel and the mounts have to offer, asked once. */
struct bpf_ground {
	struct btf *btf;  /* the kernel's own; NULL: no longer needed */
	int cgroup_fd;	  /* root of the cgroup2 hierarchy; -1: not mounted */
	bool cgroup_part; /* something below it is */
	bool has_cookie_helper, has_file_helper; /* see bpf/maps.bpf.h */
};

/* Errors: -ENOTSUP without BTF. */
int bpf_ground_open(struct bpf_ground *ground, struct fail *why);
void bpf_ground_close(struct bpf_ground *ground);

/* No more is asked for hooks: lets go of the kernel's types, 6 MB. */
void bpf_ground_chosen(struct bpf_ground *ground);

/* Is this slot of any use on this kernel? */
bool bpf_ground_wants(const struct bpf_ground *ground, const struct bpf_slot *slot);

/* Tells the programs what they may call. Before loading. */
void bpf_ground_tell(const struct bpf_ground *ground, struct execwatch_bpf *skel);

/* Is the hook of this program there? If not, reason (BPF_REASON_MAX bytes) says what is missing. */
bool bpf_ground_has(const struct bpf_ground *ground, const struct bpf_program *prog, char *reason);

/* Returns NULL with errno set. */
struct bpf_link *bpf_ground_attach(const struct bpf_ground *ground, const struct bpf_program *prog);

/* Fills *why for a load or attach that failed with err: capability, lockdown. Returns err. */
int bpf_why_load(int err, struct fail *why);

struct bpf_counts {
	struct ew_counters sum;
	uint64_t skipped, skipped_healed; /* enum bpf_skip */
	uint64_t memory;
};

struct bpf_watch {
	struct execwatch_bpf *skel;
	struct bpf_ground ground;
	const struct bpf_program *progs[BPF_SLOTS_MAX];
	struct bpf_link *links[BPF_SLOTS_MAX]; /* of these, where they are attached */
	struct bpf_ring *life, *messages;
	int readable; /* epoll, of both */
	struct live_batch *batch;
	char pins[256];	     /* directory; empty: nothing is pinned */
	struct ew_meta meta; /* of the maps, with the generation of these programs */
	bool resumed;
	bool keep;
	struct bpf_selftest selftest;
	struct bpf_history *history; /* NULL: nothing is pinned, or it could not be had */
	bool history_told;	     /* what it lacks */
	struct ew_counters counted;  /* when the last pass over the rings began */
	int64_t gathered;	     /* when it ended, CLOCK_MONOTONIC */
	uint64_t no_memory;	     /* records dropped for want of memory */
	struct bpf_counts told;	     /* by the last bpf_watch_counters() */
	struct rows rows;
};

/*
 * Loads and attaches what this kernel takes, watch->ground, pins and meta being set. Puts a
 * FACT_SLOT for each slot.
 */
int bpf_load(struct bpf_watch *watch, const struct bpf_watch_options *options,
	     const struct fact_sink *sink, struct fail *why);
void bpf_unload(struct bpf_watch *watch);

/*
 * Removes entries of connections that have ended, as far as they have not changed since before, and
 * the walk that has just been made has not found their sockets; gives those that it has found in
 * other hands to one who holds them. The batch has its rows still (bpf_sweep.c).
 */
void bpf_conns_sweep(const struct bpf_watch *watch, uint64_t before);

/* Adds what the rings hold to the batch. */
void bpf_watch_gather(struct bpf_watch *watch);

/* A record for the batch; counts when there is no memory for it. */
void bpf_watch_take(struct bpf_watch *watch, const void *record, size_t size);

/* One that will not come again: of a ring, or the end of a process that the map has kept. */
void bpf_watch_take_event(struct bpf_watch *watch, const void *record, size_t size);

/* So many events the kernel has kept from a program; before 5.12 always 0. */
uint64_t bpf_skipped(int prog_fd);

/* Over all CPUs, without the events of self-tests. False: no memory, and *sum is as before. */
bool bpf_counters_sum(const struct bpf_watch *watch, struct ew_counters *sum);

#endif

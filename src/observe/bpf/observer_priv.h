/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between bpf.c, bpf_*.c and seed.c. */
#ifndef EW_OBSERVE_BPF_OBSERVER_PRIV_H
#define EW_OBSERVE_BPF_OBSERVER_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"
#include "observe/bpf/selftest.h"
#include "observe/bpf/iter.h"

struct ew_bpf_history;
struct bpf_link;
struct bpf_program;
struct ew_bpf_options;
struct btf;
struct execwatch_bpf;
struct fact_sink;
struct error;
struct event_batch;
struct ring_buffer;

#define EW_BPF_HOOKS_MAX    12
#define EW_BPF_VARIANTS_MAX 4
#define EW_BPF_REASON_MAX   320

/*
 * What it means that the kernel has kept a program from an event. It does where the program is at
 * work on that CPU already: on top of itself (05b24ff9b2cf, 6.1), and from 7.0 on also when it was
 * preempted (a46023d5616e). It counts so for all events of the host, not only those that matter.
 */
enum ew_bpf_skip {
	EW_BPF_SKIP_LOSES,
	EW_BPF_SKIP_HEALS,    /* a walk makes it good; softirqs often come on top of connect(2) */
	EW_BPF_SKIP_HARMLESS, /* the next event will do */
};

/* What serves one purpose: programs, best first, of which one is loaded. */
struct ew_bpf_hook {
	const char *name;
	const char
		*programs[EW_BPF_VARIANTS_MAX]; /* by function name; ends with NULL or the array */
	bool live;				/* attached from the beginning */
	bool gives_cookies;			/* wanted where tracing programs cannot (5.12) */
	enum ew_bpf_skip skip;
};

extern const struct ew_bpf_hook bpf_slots[];
extern const size_t bpf_slots_n;

/* What the kernel and the mounts have to offer, asked once. */
struct ew_bpf_features {
	struct btf *btf;  /* the kernel's own; NULL: no longer needed */
	int cgroup_fd;	  /* root of the cgroup2 hierarchy; -1: not mounted */
	bool cgroup_part; /* something below it is */
	bool has_cookie_helper, has_file_helper; /* see bpf/maps.bpf.h */
};

/* Errors: -ENOTSUP without BTF. */
int ew_bpf_features_open(struct ew_bpf_features *ground, struct error *error);
void ew_bpf_features_close(struct ew_bpf_features *ground);

/* No more is asked for hooks: lets go of the kernel's types, 6 MB. */
void ew_bpf_features_chosen(struct ew_bpf_features *ground);

/* Is this slot of any use on this kernel? */
bool ew_bpf_features_wants(const struct ew_bpf_features *ground, const struct ew_bpf_hook *slot);

/* Tells the programs what they may call. Before loading. */
void ew_bpf_features_tell(const struct ew_bpf_features *ground, struct execwatch_bpf *skel);

/* Is the hook of this program there? If not, reason (EW_BPF_REASON_MAX bytes) says what is missing.
 */
bool ew_bpf_features_has(const struct ew_bpf_features *ground, const struct bpf_program *prog,
			 char *reason);

/* Returns NULL with errno set. */
struct bpf_link *ew_bpf_features_attach(const struct ew_bpf_features *ground,
					const struct bpf_program *prog);

/* Fills *error for a load or attach that failed with err: capability, lockdown. Returns err. */
int ew_bpf_load_error(int err, struct error *error);

struct ew_bpf_counts {
	struct ew_counters sum;
	uint64_t skipped, skipped_healed; /* enum ew_bpf_skip */
	uint64_t memory;
};

struct ew_bpf {
	struct execwatch_bpf *skel;
	struct ew_bpf_features ground;
	const struct bpf_program *progs[EW_BPF_HOOKS_MAX];
	struct bpf_link *links[EW_BPF_HOOKS_MAX]; /* of these, where they are attached */
	struct ew_bpf_rings *rings;
	struct event_batch *batch;
	char pins[256];	     /* directory; empty: nothing is pinned */
	struct ew_meta meta; /* of the maps, with the generation of these programs */
	bool resumed;
	bool keep;
	struct ew_bpf_selftest selftest;
	struct ew_bpf_history *history; /* NULL: nothing is pinned, or it could not be had */
	bool history_told;		/* what it lacks */
	struct ew_counters counted;	/* when the last pass over the rings began */
	int64_t gathered;		/* when it ended, CLOCK_MONOTONIC */
	uint64_t no_memory;		/* records dropped for want of memory */
	struct ew_bpf_counts told;	/* by the last ew_bpf_counters() */
	struct ew_iter rows;
};

/*
 * Loads and attaches what this kernel takes, watch->ground, pins and meta being set. Puts a
 * FACT_HOOK for each slot.
 */
int ew_bpf_load(struct ew_bpf *watch, const struct ew_bpf_options *options,
		const struct fact_sink *sink, struct error *error);
void ew_bpf_unload(struct ew_bpf *watch);

/*
 * Removes entries of connections that have ended, as far as they have not changed since before, and
 * the walk that has just been made has not found their sockets; gives those that it has found in
 * other hands to one who holds them. The batch has its rows still (bpf_sweep.c).
 */
void conns_gc(const struct ew_bpf *watch, uint64_t before);

/* Adds what the rings hold to the batch. */
void ew_bpf_ring_poll(struct ew_bpf *watch);

/* A record for the batch; counts when there is no memory for it. */
void ew_bpf_take(struct ew_bpf *watch, const void *record, size_t size);

/* One that will not come again: of a ring, or the end of a process that the map has kept. */
void ew_bpf_take_event(struct ew_bpf *watch, const void *record, size_t size);

/* So many events the kernel has kept from a program; before 5.12 always 0. */
uint64_t ew_bpf_skipped(int prog_fd);

/* Over all CPUs, without the events of self-tests. False: no memory, and *sum is as before. */
bool ew_bpf_counters_sum(const struct ew_bpf *watch, struct ew_counters *sum);

#endif

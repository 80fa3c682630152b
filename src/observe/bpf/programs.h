/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The loaded and attached BPF programs, and their maps. */
#ifndef EW_OBSERVE_BPF_PROGRAMS_H
#define EW_OBSERVE_BPF_PROGRAMS_H

#include <stdint.h>

#include "observe/bpf/prog_variants.h"

struct bpf_link;
struct bpf_program;
struct error;
struct ew_bpf_features;
struct ew_bpf_options;
struct ew_meta;
struct execwatch_bpf;
struct fact_sink;

struct ew_bpf_programs {
	struct execwatch_bpf *skel;			   /* NULL: not loaded */
	const struct bpf_program *progs[EW_BPF_HOOKS_MAX]; /* by hook; NULL: not attached */
	struct bpf_link *links[EW_BPF_HOOKS_MAX];
};

/* Events that the kernel skipped, by what that means (enum ew_bpf_miss). */
struct ew_bpf_misses {
	uint64_t lost, healed;
};

/*
 * Loads and attaches what this kernel accepts, and makes these programs the active ones. pins: the
 * directory to pin in; NULL: nothing is pinned. meta: layout, ring sizes and generation of the
 * maps; the misses of the programs that are replaced are added to it. Emits a FACT_HOOK for each
 * hook. Errors: as ew_bpf_open(); *programs is then empty.
 */
int ew_bpf_programs_load(struct ew_bpf_programs *programs, const struct ew_bpf_features *features,
			 const struct ew_bpf_options *options, const char *pins,
			 struct ew_meta *meta, const struct fact_sink *sink, struct error *error);
void ew_bpf_programs_unload(struct ew_bpf_programs *programs);

/* Observes meta->ports, and writes meta for the next execwatch. Returns 0 or a negative errno. */
int ew_bpf_programs_set_ports(const struct ew_bpf_programs *programs, const struct ew_meta *meta);

/* Of these programs alone, not of those that they have replaced. */
struct ew_bpf_misses ew_bpf_programs_misses(const struct ew_bpf_programs *programs);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The hooks that the observer uses, and for each the programs that can serve it. */
#ifndef EW_OBSERVE_BPF_PROG_VARIANTS_H
#define EW_OBSERVE_BPF_PROG_VARIANTS_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_program;
struct ew_bpf_features;
struct execwatch_bpf;

#define EW_BPF_HOOKS_MAX    12
#define EW_BPF_VARIANTS_MAX 4

/*
 * Effect of a recursion miss, per program. The kernel skips a program that is already running on
 * that CPU: when its hook interrupts it (05b24ff9b2cf, 6.1), and from 7.0 on also when it was
 * preempted (a46023d5616e). Misses are counted for all events of the host, relevant or not.
 */
enum ew_bpf_miss {
	EW_BPF_MISS_LOSES,    /* an event may be lost */
	EW_BPF_MISS_HEALS,    /* a scan repairs it; softirqs often interrupt connect(2) */
	EW_BPF_MISS_HARMLESS, /* the next event serves as well */
};

struct ew_bpf_hook {
	const char *name;
	/* The variants: function names, best first, of which one is loaded. */
	const char *programs[EW_BPF_VARIANTS_MAX]; /* ends with NULL or the array */
	bool attached;				   /* from the start; an iterator is not */
	bool gives_cookies; /* needed only where tracing programs cannot (before 5.12) */
	enum ew_bpf_miss miss;
};

/* The first is "messages": the only one with variants. */
extern const struct ew_bpf_hook ew_bpf_hooks[];
extern const size_t ew_bpf_hooks_n;

/* Does this kernel need a program for the hook? */
bool ew_bpf_hook_is_needed(const struct ew_bpf_hook *hook, const struct ew_bpf_features *features);

/* NULL: there is no such variant. */
struct bpf_program *ew_bpf_hook_program(const struct ew_bpf_hook *hook,
					const struct execwatch_bpf *skel, size_t variant);

#endif

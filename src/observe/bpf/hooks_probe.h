/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_BPF_HOOKS_PROBE_H
#define EW_OBSERVE_BPF_HOOKS_PROBE_H

struct error;
struct fact_sink;

/*
 * Which programs does this kernel accept? Loads and attaches each alone for a moment, and emits a
 * FACT_HOOK for each program, with an empty reason when it works. For doctor. Errors: nothing can
 * be tried at all (no BTF, no capability).
 */
int ew_bpf_hooks_probe(const struct fact_sink *sink, struct error *error);

#endif

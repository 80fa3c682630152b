/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_BPF_LOAD_ERROR_H
#define EW_OBSERVE_BPF_LOAD_ERROR_H

struct error;

/*
 * Explains why the kernel refused (err) to load or attach a program: a missing capability,
 * lockdown, a user namespace. Returns the code in *error.
 */
int ew_bpf_load_error(int err, struct error *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Guard pages below a stack that /proc/PID/maps does not show: madvise(MADV_GUARD_INSTALL), Linux
 * 6.13; glibc uses them for thread stacks since 2.42.
 */
#ifndef EW_ACT_INJECT_TRACEE_GUARD_H
#define EW_ACT_INJECT_TRACEE_GUARD_H

#include <stdint.h>
#include <sys/types.h>

struct tracee_maps;

/*
 * The end address of the highest guard page below sp in the mapping that contains sp; 0: none, or
 * the kernel does not show them (before 6.15).
 */
uint64_t tracee_guard_below(pid_t tid, const struct tracee_maps *maps, uint64_t sp);

#endif

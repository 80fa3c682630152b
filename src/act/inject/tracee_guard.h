/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Guards below a stack that /proc/PID/maps does not show: madvise(MADV_GUARD_INSTALL), Linux 6.13,
 * with which glibc marks the stacks of threads from 2.42 on.
 */
#ifndef EW_ACT_INJECT_TRACEE_GUARD_H
#define EW_ACT_INJECT_TRACEE_GUARD_H

#include <stdint.h>
#include <sys/types.h>

struct tracee_maps;

/*
 * The end of the highest such guard below sp, in the mapping that sp is in; 0: none that can be
 * seen (not before Linux 6.15).
 */
uint64_t tracee_guard_below(pid_t tid, const struct tracee_maps *maps, uint64_t sp);

#endif

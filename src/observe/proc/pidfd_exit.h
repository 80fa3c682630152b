/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a process ended, by what the kernel still shows (base/pidfd.h, /proc). */
#ifndef EW_OBSERVE_PROC_PIDFD_EXIT_H
#define EW_OBSERVE_PROC_PIDFD_EXIT_H

#include <stdint.h>

/*
 * How it ended, as wait(2) gives it; -1: not known. Asks the pidfd (-1: none; since Linux 6.15,
 * after its parent has waited for it), then /proc (while it is a zombie).
 */
int32_t pidfd_exit_status(int pidfd, int32_t pid, uint64_t start);

#endif

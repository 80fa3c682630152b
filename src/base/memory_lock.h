/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_BASE_MEMORY_LOCK_H
#define EW_BASE_MEMORY_LOCK_H

#include <stddef.h>

/*
 * Reads the program's own code and data, and those of its libraries, into memory and locks them
 * there, so that running them waits for no disk: not more than max bytes. Returns 0, or a negative
 * errno: -EPERM and -ENOMEM without CAP_IPC_LOCK (RLIMIT_MEMLOCK), -EFBIG: they are larger.
 */
int memory_lock_program(size_t max);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_ACT_LOCK_H
#define EW_ACT_LOCK_H

struct error;

/*
 * Takes the lock DIR/NAME.lock, of which each stands for something that one execwatch at a time may
 * do on this host: "acting", or watching a port. DIR is created if missing. Returns 0, -EBUSY
 * (another process holds it; its pid is in *error), or the negative errno of opening the file.
 *
 * The lock is a POSIX record lock (fcntl(2)) on byte 0: it belongs to this process. A forked child
 * does not inherit it, so that a child that is stuck in the kernel after its parent's death does
 * not keep others from acting. Held until the process ends or closes the descriptor in *ret, or any
 * other of the same file: a process must not take the same lock twice. Not inherited over exec.
 */
int act_lock_take(const char *dir, const char *name, int *ret, struct error *error);

#endif

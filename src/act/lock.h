/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_ACT_LOCK_H
#define EW_ACT_LOCK_H

struct error;

/*
 * What one execwatch at a time may do on this host: "acting", or watching a port. Held until the
 * descriptor in *ret is closed, by whatever way its owner ends; never inherited over exec. Errors:
 * -EBUSY (another one does it: its pid is in *error), and those of opening the file name.lock in
 * dir, which is made if missing.
 */
int act_lock_take(const char *dir, const char *name, int *ret, struct error *error);

#endif

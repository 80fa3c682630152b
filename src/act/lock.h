/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_ACT_LOCK_H
#define EW_ACT_LOCK_H

struct error;

/*
 * Takes the lock DIR/NAME.lock, of which each stands for something that one execwatch at a time may
 * do on this host: "acting", or watching a port. DIR is created if missing. Held until the
 * descriptor in *ret is closed or its process ends; not inherited over exec. Returns 0, -EBUSY
 * (another execwatch holds it; its pid is in *error), or the negative errno of opening the file.
 */
int act_lock_take(const char *dir, const char *name, int *ret, struct error *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The directory of the run directory in which the BPF programs of a watch are pinned, so that they
 * outlive execwatch, and the lock of the one execwatch that may use it. There is one for each agent
 * port.
 */
#ifndef EW_CLI_WATCH_PINS_H
#define EW_CLI_WATCH_PINS_H

#include <stdbool.h>
#include <stdint.h>

struct error;

struct watch_pins {
	int lock;	 /* descriptor; -1: not held */
	int dir;	 /* descriptor; -1: the programs are not pinned */
	char path[32];	 /* a path of dir */
	char name[4096]; /* the same for people */
};

/* Nothing is open. */
struct watch_pins watch_pins_none(void);

/*
 * Takes the lock and opens the directory, which is made if it is missing. Returns 0, -EBUSY when
 * another execwatch watches that port, or another negative errno. Either way to be closed.
 */
int watch_pins_open(struct watch_pins *pins, const char *run_dir, uint16_t port,
		    struct error *error);

/* Once the observers have ended: drops the lock. keep: the directory stays, with what it holds. */
void watch_pins_close(struct watch_pins *pins, const char *run_dir, uint16_t port, bool keep);

/*
 * Unloads what a watch of that port has left, killed or kept. Returns 0, -ENOENT when there is
 * nothing, or another negative errno; *locked says whether the lock could be taken.
 */
int watch_pins_clean(const char *run_dir, uint16_t port, bool *locked, struct error *error);

#endif

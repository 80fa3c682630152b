/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Other methods, for comparison only: gdb, and the classic one of many small tools, which saves the
 * registers and two bytes of code, overwrites these with a system call, steps, and restores both.
 */
#ifndef EW_FAULT_OTHERS_H
#define EW_FAULT_OTHERS_H

struct inject_request;

/* Both return 0 or a negative errno. */
int others_classic(const struct inject_request *t);
int others_gdb(const struct inject_request *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_CTL_H
#define LAB_CTL_H

/*
 * `ctl DIR COMMAND [ARGUMENT...]`: has the node do something, prints its answer (one line
 * of JSON). Exit code 0: done; 1: it could not; 64: wrong use.
 */
int ctl_main(int argc, char **argv);

#endif

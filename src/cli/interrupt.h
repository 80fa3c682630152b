/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ctrl-C and SIGTERM, as a count that acts look at between two targets and a descriptor that an
 * event loop waits for. A signal handler can reach nothing but a global: it is in interrupt.c.
 */
#ifndef EW_CLI_INTERRUPT_H
#define EW_CLI_INTERRUPT_H

#include <signal.h>

/* Takes SIGINT, SIGTERM and SIGHUP over. Returns 0 or a negative errno. */
int interrupt_install(void);

/* How often it was asked for. */
const volatile sig_atomic_t *interrupt_count(void);

/* An eventfd, readable after each signal; -1 before interrupt_install(). */
int interrupt_fd(void);

#endif

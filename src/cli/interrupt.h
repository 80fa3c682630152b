/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ctrl-C and SIGTERM, as a count that acts look at between two targets and a descriptor that an
 * event loop waits for; the loss of the terminal (SIGHUP), as a descriptor. A signal handler can
 * reach nothing but a global: it is in interrupt.c.
 */
#ifndef EW_CLI_INTERRUPT_H
#define EW_CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct error;

/*
 * Takes SIGINT, SIGTERM and SIGHUP over. survive_hangup: SIGHUP is no interruption, it only makes
 * interrupt_hangup_fd() readable. A SIGHUP that was ignored at the start (nohup(1)) stays ignored.
 * Returns 0 or a negative errno.
 */
int interrupt_install(bool survive_hangup, struct error *error);

/* How often it was asked for. */
const volatile sig_atomic_t *interrupt_count(void);

/* The last one was typed: the terminal sent it to every process in its foreground. */
bool interrupt_from_terminal(void);

/* An eventfd, readable after each signal; -1 before interrupt_install(). */
int interrupt_fd(void);

/* An eventfd, readable after the terminal has gone. */
int interrupt_hangup_fd(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_CONFIRM_H
#define EW_CLI_CONFIRM_H

#include <stdbool.h>

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_INTERRUPTED };

/* Somebody is there to be asked: standard input and standard error are a terminal. */
bool confirm_possible(void);

/*
 * Asks a yes/no question; anything but y or yes is no, and so is a terminal that is gone. Ends at
 * once when interrupt (a descriptor, -1: none) is readable. What was typed before the question is
 * no answer to it.
 */
enum answer confirm(const char *question, int interrupt);

#endif

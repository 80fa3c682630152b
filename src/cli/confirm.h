/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_CONFIRM_H
#define EW_CLI_CONFIRM_H

#include <stdbool.h>

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_INTERRUPTED };

/* Whether a question can be asked: standard input and standard error are a terminal. */
bool confirm_possible(void);

/*
 * Asks a yes/no question; y and yes mean yes, everything else and a closed terminal mean no.
 * Returns at once when interrupt (a descriptor, -1: none) is readable. Input typed before the
 * question is discarded.
 */
enum answer confirm(const char *question, int interrupt);

#endif

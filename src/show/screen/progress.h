/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_SHOW_SCREEN_PROGRESS_H
#define EW_SHOW_SCREEN_PROGRESS_H

#include <stdio.h>

#include "model/report.h"

/*
 * "waiting for 3 of 20 · next deadline in 12:31 · agent recovering", at the end "20/20 done · agent
 * up": one line on a terminal, which replaces the one before, cut to width columns. Returns 0 or a
 * negative errno.
 */
int progress_draw(FILE *out, const struct report *report, int width);

/* The same with a newline, for a log. */
int progress_write(FILE *out, const struct report *report);

/* Clears the line. */
int progress_clear(FILE *out);

#endif

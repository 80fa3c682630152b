/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live view: the table, redrawn in place, and below it the latest events. */
#ifndef EW_SHOW_SCREEN_WATCH_SCREEN_H
#define EW_SHOW_SCREEN_WATCH_SCREEN_H

#include <stdio.h>

#include "facts.h"
#include "model/report.h"
#include "show/layout.h"

struct watch_screen;

/* NULL when there is no memory. out is borrowed, a terminal that knows ECMA-48. */
struct watch_screen *watch_screen_new(FILE *out);
void watch_screen_free(struct watch_screen *screen);

/* Stores the latest events. An agent that a scan finds unchanged is not an event. */
struct fact_sink watch_screen_sink(struct watch_screen *screen);

/*
 * Draws the report over the last one. rows is the height of the terminal now, layout->width its
 * width: both may change between draws. Returns 0 or a negative errno.
 */
int watch_screen_draw(struct watch_screen *screen, const struct report *report, int rows,
		      const struct layout *layout);

/* Clears the screen for the final table. Returns 0 or a negative errno. */
int watch_screen_clear(struct watch_screen *screen);

#endif

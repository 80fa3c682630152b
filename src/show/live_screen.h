/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live view: the table, redrawn in place, and under it the events that came last. */
#ifndef EW_SHOW_LIVE_SCREEN_H
#define EW_SHOW_LIVE_SCREEN_H

#include <stdio.h>

#include "facts.h"
#include "model/report.h"
#include "show/table.h"

struct live_screen;

/* NULL when there is no memory. out is borrowed, a terminal that knows ECMA-48. */
struct live_screen *live_screen_new(FILE *out);
void live_screen_free(struct live_screen *screen);

/* Remembers the latest events. An agent that is found again as it was is none. */
struct fact_sink live_screen_sink(struct live_screen *screen);

/*
 * Draws the report over the last one. rows is the height of the terminal now, options->width its
 * width: both may change between draws. Returns 0 or a negative errno.
 */
int live_screen_draw(struct live_screen *screen, const struct report *report, int rows,
		     const struct table_options *options);

/* Leaves the cursor under an empty screen, ready for the last table. Returns as above. */
int live_screen_clear(struct live_screen *screen);

#endif

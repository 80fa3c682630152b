/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rows of cells in columns of given widths. */
#ifndef EW_SHOW_TABLE_GRID_H
#define EW_SHOW_TABLE_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct grid_column {
	const char *title;
	int width; /* 0: what the others leave of the line; at most one such column */
	bool right;
	/* The text of the cell, in buf or elsewhere. now is wall ns. */
	const char *(*cell)(const void *row, int64_t now, char *buf, size_t size);
};

struct grid {
	FILE *out;
	int width; /* columns of a line */
	int64_t now;
	const struct grid_column *column;
	size_t n;
};

void grid_head(const struct grid *grid);

/* sgr: the colour of the first cell as in "\x1b[31m"; NULL: none. */
void grid_row(const struct grid *grid, const void *row, const char *sgr);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/table/grid.h"

#include "show/term_text.h"

#define GAP	 2
#define CELL_MAX 1024

static int column_width(const struct grid *grid, size_t i)
{
	int left = grid->width;

	if (grid->column[i].width)
		return grid->column[i].width;
	for (size_t k = 0; k < grid->n; k++)
		left -= grid->column[k].width + (k ? GAP : 0);
	return left > 1 ? left : 1;
}

static void cell_draw(const struct grid *grid, size_t i, const char *text, const char *sgr)
{
	int width = column_width(grid, i);

	if (i)
		fprintf(grid->out, "%*s", GAP, "");
	if (sgr)
		fputs(sgr, grid->out);
	if (i + 1 < grid->n || grid->column[i].right)
		term_text_put(grid->out, text, width, grid->column[i].right);
	else
		term_text_put_last(grid->out, text, width);
	if (sgr)
		fputs("\x1b[0m", grid->out);
}

void grid_head(const struct grid *grid)
{
	for (size_t i = 0; i < grid->n; i++)
		cell_draw(grid, i, grid->column[i].title, NULL);
	fputc('\n', grid->out);
}

void grid_row(const struct grid *grid, const void *row, const char *sgr)
{
	char buf[CELL_MAX];

	for (size_t i = 0; i < grid->n; i++)
		cell_draw(grid, i, grid->column[i].cell(row, grid->now, buf, sizeof(buf)),
			  i ? NULL : sgr);
	fputc('\n', grid->out);
}

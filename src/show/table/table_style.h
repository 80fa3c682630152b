/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of a table share. */
#ifndef EW_SHOW_TABLE_TABLE_STYLE_H
#define EW_SHOW_TABLE_TABLE_STYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/report.h"
#include "show/layout.h"
#include "show/textbuf.h"

struct table {
	FILE *out;
	const struct report *report;
	int width;
	bool color;
	bool verbose;
};

#define TABLE_RESET "\x1b[0m"

/* The columns that a layout gives to a grid. */
int table_width(const struct layout *layout);

/* The colour that a severity has; NULL where none is wanted. */
const char *table_color(bool color, enum severity severity);

/* "title" in a line of its own, an empty one before it. */
void table_title(FILE *out, const char *title);

/* Ends text and writes it in lines, those after the first indented. */
void table_paragraph(const struct table *table, struct textbuf *text, int indent);

/* A cell's number into buf; "-" where it is less than the least that there can be. */
const char *table_number(int32_t value, int32_t least, char *buf, size_t size);

#endif

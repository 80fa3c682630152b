/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text on a terminal, measured in columns whatever the locale. Names come from strangers: what
 * would move the cursor or turn the writing direction is escaped (\x1b, \u202e), as are bytes that
 * are no UTF-8 (\xff).
 */
#ifndef EW_SHOW_TERM_TEXT_H
#define EW_SHOW_TERM_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/* Columns that text takes. */
int term_text_width(const char *text);

/* text in exactly width columns: filled with blanks, or cut with an ellipsis. */
void term_text_put(FILE *out, const char *text, int width, bool right);

/* The same without the blanks behind it. */
void term_text_put_last(FILE *out, const char *text, int width);

/*
 * A paragraph in lines of at most width columns, broken at blanks that are not within single quotes
 * and, where a word alone is wider, within it. The first line continues one of which used columns
 * are taken; the others begin with indent blanks. Ends with a newline.
 */
void term_text_wrap(FILE *out, const char *text, int used, int indent, int width);

/*
 * The same for advice (model/report.h), of paragraphs and commands: a command, however long, is
 * written whole on a line of its own, so that it can be copied.
 */
void term_text_wrap_commands(FILE *out, const char *text, int used, int indent, int width);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text is put together in memory and written at once: so the errno of a failed write is known, and
 * what cannot be made (no memory) is not written in part.
 */
#ifndef EW_SHOW_TEXTBUF_H
#define EW_SHOW_TEXTBUF_H

#include <stddef.h>
#include <stdio.h>

struct textbuf {
	FILE *text;
	char *buf;
	size_t len;
};

/* Returns 0 or -ENOMEM. */
int textbuf_begin(struct textbuf *out);

/* Ends the text: to be freed with free(); NULL when there was no memory. */
char *textbuf_end(struct textbuf *out);

/* Ends the text, writes it to file and flushes. Returns 0 or a negative errno. */
int textbuf_end_to(struct textbuf *out, FILE *file);

/* Writes and flushes. Returns 0 or a negative errno. */
int textbuf_write(FILE *file, const char *text, size_t len);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/term_text.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define PIECE_MAX 16

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t cp, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n && ranges[i].first <= cp; i++) {
		if (cp <= ranges[i].last)
			return true;
	}
	return false;
}

#define IN(cp, ranges) in_ranges(cp, ranges, sizeof(ranges) / sizeof(ranges[0]))

/* Combining marks, of the scripts that have them most; Unicode 15, categories Mn and Me. */
static const struct range combining[] = {
	{ 0x300, 0x36f },   { 0x483, 0x489 },	{ 0x591, 0x5bd },   { 0x610, 0x61a },
	{ 0x64b, 0x65f },   { 0x6d6, 0x6dc },	{ 0x900, 0x902 },   { 0x93c, 0x93c },
	{ 0x941, 0x948 },   { 0xe31, 0xe31 },	{ 0xe34, 0xe3a },   { 0xe47, 0xe4e },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0x302a, 0x302d },
	{ 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

/* Two columns: Unicode 15, East_Asian_Width W and F. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },	  { 0x25fd, 0x25fe },
	{ 0x2614, 0x2615 },   { 0x2648, 0x2653 },   { 0x26a1, 0x26a1 },	  { 0x2705, 0x2705 },
	{ 0x274c, 0x274c },   { 0x2753, 0x2755 },   { 0x2795, 0x2797 },	  { 0x2b1b, 0x2b1c },
	{ 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },	  { 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },	  { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x16fe0, 0x18cff }, { 0x1b000, 0x1b2ff },
	{ 0x1f004, 0x1f004 }, { 0x1f18e, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 },
	{ 0x1f337, 0x1f37c }, { 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 },
	{ 0x1f3e0, 0x1f3f0 }, { 0x1f400, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc },
	{ 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f567 }, { 0x1f5fb, 0x1f64f }, { 0x1f680, 0x1f6c5 },
	{ 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6fc }, { 0x1f7e0, 0x1f7f0 }, { 0x1f90c, 0x1f9ff },
	{ 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

/* The next piece of text as it is shown, into buf; *width its columns. Returns bytes taken. */
static size_t piece_next(const char *text, char *buf, int *width)
{
	uint32_t cp;
	size_t len = utf8_next(text, &cp);

	if (len && !utf8_is_invisible(cp)) {
		memcpy(buf, text, len);
		buf[len] = '\0';
		*width = cp < 0x300 ? 1 : IN(cp, combining) ? 0 : IN(cp, wide) ? 2 : 1;
		return len;
	}
	if (len && cp > 0x9f)
		*width = snprintf(buf, PIECE_MAX, "\\u%04x", cp);
	else /* a byte that is no UTF-8, or a control character by its number */
		*width = snprintf(buf, PIECE_MAX, "\\x%02x", len ? cp : (uint8_t)*text);
	return len ? len : 1;
}

int term_text_width(const char *text)
{
	char piece[PIECE_MAX];
	int columns = 0, width;

	while (*text) {
		text += piece_next(text, piece, &width);
		columns += width;
	}
	return columns;
}

/* As much of text as fits into room columns; returns the columns taken. */
static int fitting_put(FILE *out, const char *text, int room)
{
	char piece[PIECE_MAX];
	int columns = 0, width;

	while (*text) {
		text += piece_next(text, piece, &width);
		if (columns + width > room)
			break;
		fputs(piece, out);
		columns += width;
	}
	return columns;
}

static int cut_put(FILE *out, const char *text, int width)
{
	int columns = fitting_put(out, text, width - 1);

	fputs("…", out);
	return columns + 1;
}

void term_text_put(FILE *out, const char *text, int width, bool right)
{
	int columns = term_text_width(text);
	int before = right && columns < width ? width - columns : 0;

	fprintf(out, "%*s", before, "");
	columns = columns > width ? cut_put(out, text, width) : fitting_put(out, text, width);
	fprintf(out, "%*s", width - before - columns, "");
}

void term_text_put_last(FILE *out, const char *text, int width)
{
	if (term_text_width(text) > width)
		cut_put(out, text, width);
	else
		fitting_put(out, text, width);
}

/*
 * End of the word that text begins with, or of a command in quotes ('execwatch audit'), which is
 * not broken unless it is wider than a line. stop ends a text as the NUL does.
 */
static const char *word_end(const char *text, char stop, int width)
{
	const char blanks[] = { ' ', stop, '\0' }, stops[] = { '\'', stop, '\0' };
	const char *end = text + strcspn(text, blanks), *quote;

	if (*text != '\'')
		return end;
	quote = text + 1 + strcspn(text + 1, stops);
	if (*quote != '\'' || quote < end || quote - text > width)
		return end;
	return quote + strcspn(quote, blanks);
}

/* Columns of the bytes from text to end. */
static int columns_of(const char *text, const char *end)
{
	char piece[PIECE_MAX];
	int columns = 0, width;

	while (text < end) {
		text += piece_next(text, piece, &width);
		columns += width;
	}
	return columns;
}

static int line_break(FILE *out, int indent)
{
	fprintf(out, "\n%*s", indent, "");
	return indent;
}

/* A paragraph: text up to stop or its end, which is returned. */
static const char *wrap(FILE *out, const char *text, char stop, int used, int indent, int width)
{
	int column = used;
	bool begun = false; /* the line holds a word */

	for (text += strspn(text, " "); *text && *text != stop; text += strspn(text, " ")) {
		const char *end = word_end(text, stop, width - indent);
		char piece[PIECE_MAX];
		int columns;

		if (column + begun + columns_of(text, end) > width && column > indent) {
			column = line_break(out, indent);
		} else if (begun) {
			fputc(' ', out);
			column++;
		}
		begun = true;
		while (text < end) {
			text += piece_next(text, piece, &columns);
			if (column + columns > width)
				column = line_break(out, indent);
			fputs(piece, out);
			column += columns;
		}
	}
	fputc('\n', out);
	return text;
}

void term_text_wrap(FILE *out, const char *text, int used, int indent, int width)
{
	wrap(out, text, '\0', used, indent, width);
}

static const char *command_put(FILE *out, const char *text)
{
	char piece[PIECE_MAX];
	int width;

	while (*text && *text != '\n') {
		text += piece_next(text, piece, &width);
		fputs(piece, out);
	}
	fputc('\n', out);
	return text;
}

void term_text_wrap_commands(FILE *out, const char *text, int used, int indent, int width)
{
	for (int column = used; *text; column = 0) {
		bool command = *text == '\t';

		if (!column)
			column = fprintf(out, "%*s", command ? indent + 2 : indent, "");
		text = command ? command_put(out, text + 1)
			       : wrap(out, text, '\n', column, indent, width);
		text += *text == '\n';
	}
}

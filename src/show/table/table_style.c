/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/table/table_style.h"

#include <stdlib.h>

#include "show/term_text.h"

#define WIDTH_MIN 72 /* columns of a grid that leave room for names */

int table_width(const struct layout *layout)
{
	return layout->width < WIDTH_MIN ? WIDTH_MIN : layout->width;
}

const char *table_color(bool color, enum severity severity)
{
	static const char *const sgr[] = {
		[SEVERITY_OK] = "\x1b[32m",
		[SEVERITY_WARNING] = "\x1b[33m",
		[SEVERITY_CRITICAL] = "\x1b[31m",
		[SEVERITY_UNKNOWN] = "\x1b[35m",
	};

	return color ? sgr[severity] : NULL;
}

void table_title(FILE *out, const char *title)
{
	fprintf(out, "\n%s\n", title);
}

void table_paragraph(const struct table *table, struct textbuf *text, int indent)
{
	char *buf = textbuf_end(text);

	if (buf)
		term_text_wrap(table->out, buf, 0, indent, table->width);
	free(buf);
}

const char *table_number(int32_t value, int32_t least, char *buf, size_t size)
{
	if (value < least)
		return "-";
	snprintf(buf, size, "%d", value);
	return buf;
}
